import { Argument, type Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { type Act, newCommand, withExample } from './options.ts';

/** What a newcomer types first. */
export const addStart = (program: Command, act: Act, io: Surroundings) => {
  withExample(
    newCommand(program, 'init', 'Write a configuration folder to begin with.'),
    'sluice init my-gateway',
  )
    .argument('[dir]', 'a folder that is new or empty (default: config, from here)')
    .action((dir, options) => act(async () => (await import('../commands/init.ts')).init(dir, options, io)));
  const summary = 'Print what makes a shell complete verbs and options.';
  withExample(
    program.command('completion').summary(summary).description(summary),
    'sluice completion bash > ~/.local/share/bash-completion/completions/sluice',
    'sluice completion fish > ~/.config/fish/completions/sluice.fish',
  )
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell) =>
      act(async () => (await import('../commands/completion.ts')).completion(shell, program, io)),
    );
};

import { Argument, type Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { type Act, newCommand } from './options.ts';

/** What a newcomer types first. */
export const addStart = (program: Command, act: Act, io: Surroundings) => {
  newCommand(program, 'init', 'Write a configuration folder to begin with.')
    .argument('[dir]', 'a folder that is new or empty (default: config, from here)')
    .action((dir, options) => act(async () => (await import('../commands/init.ts')).init(dir, options, io)));
  const summary = 'Print what makes a shell complete verbs and options.';
  program
    .command('completion')
    .summary(summary)
    .description(summary)
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell) =>
      act(async () => (await import('../commands/completion.ts')).completion(shell, program, io)),
    );
};

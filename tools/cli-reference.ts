import type { Command } from 'commander';
import { newProgram } from '../cli/src/program.ts';
import { EXAMPLES } from '../cli/src/verbs/examples.ts';

/** A verb of the command line as its help says it. */
export interface Verb {
  /** As `quota list`. */
  readonly verb: string;
  readonly says: string;
  readonly usage: string;
  /** Arguments and options with their meaning, defaults and choices. */
  readonly words: readonly (readonly [string, string])[];
  readonly examples: readonly string[];
}

const verbsBelow = (command: Command, path: readonly string[]): Verb[] =>
  command.commands.flatMap((one) => {
    const name = [...path, one.name()];
    return [...(one.commands.length === 0 ? [verbOf(one, name.join(' '))] : []), ...verbsBelow(one, name)];
  });

const verbOf = (command: Command, verb: string): Verb => {
  const help = command.createHelp();
  const words = [
    ...help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)]),
    ...help.visibleOptions(command).map((one) => [help.optionTerm(one), help.optionDescription(one)]),
  ] as [string, string][];
  const asked = words.filter(([word]) => !word.includes('--help'));
  const says = command.description() || command.summary();
  return { verb, says, usage: help.commandUsage(command), words: asked, examples: EXAMPLES[verb] ?? [] };
};

/** Every verb, in the order of the help. */
export const cliReference = (): Verb[] => {
  const program = newProgram(() => Promise.resolve(), {
    env: {},
    cwd: '.',
    root: '.',
    out: process.stdout,
    err: process.stderr,
    readInput: () => Promise.resolve(''),
  });
  return verbsBelow(program, []);
};

import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

/** What a command may see of the world: read once in main.ts. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The repository. */
  readonly root: string;
  /** All that standard input has to say, to its end. */
  readonly readInput: () => Promise<string>;
  readonly out: Writable;
  readonly err: Writable;
}

/** `changes` is for a difference that was asked for; `environment` for what is missing on this machine. */
export const EXIT = { ok: 0, invalid: 1, changes: 2, environment: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

type Style = Parameters<typeof styleText>[0];

/** Coloured for a terminal, plain for a pipe, a file or NO_COLOR. */
export const paint = (stream: Writable, style: Style, text: string): string =>
  styleText(style, text, { stream, validateStream: true });

export const printLine = (stream: Writable, line: string): void => {
  stream.write(`${line}\n`);
};

export const printJson = (stream: Writable, value: unknown): void => printLine(stream, JSON.stringify(value));

/** Says what is wrong and ends the command. */
export const refuse = (
  { out, err }: Surroundings,
  exitCode: ExitCode,
  message: string,
  { json = false }: { json?: boolean | undefined } = {},
): ExitCode => {
  if (json) printJson(out, { event: 'error', message, exitCode });
  printLine(err, `${paint(err, 'red', '✖')} ${message}`);
  return exitCode;
};

/** A path a person gave counts from where they are; a default counts from the repository. */
export const pathOf = ({ cwd, root }: Surroundings, given: string | undefined, byDefault: string): string =>
  given === undefined ? resolve(root, byDefault) : resolve(cwd, given);

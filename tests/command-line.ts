import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from '../cli/src/program.ts';

const ROOT = join(import.meta.dirname, '..');

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line, in this process: as a process of its own each call would take half a second to load. */
export const typeSluice = async (args: readonly string[], root = ROOT): Promise<Said> => {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(args, {
    ...{ env: { ...process.env, NO_COLOR: '1' }, cwd: root, root, out, err },
    readInput: () => Promise.resolve(''),
  });
  out.end();
  err.end();
  return { code, out: await text(out), err: await text(err) };
};

import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { runCli } from './program.ts';

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  root: process.env.SLUICE_ROOT ?? join(import.meta.dirname, '..', '..'), // a bundle lies elsewhere
  readInput: () => text(process.stdin),
  out: process.stdout,
  err: process.stderr,
});
process.exit(exitCode);

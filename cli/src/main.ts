import { join } from 'node:path';
import { runCli } from './program.ts';

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  root: join(import.meta.dirname, '..', '..'),
  out: process.stdout,
  err: process.stderr,
});
process.exit(exitCode);

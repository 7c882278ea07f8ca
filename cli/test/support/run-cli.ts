// Runs the command line as main.ts does, on the repository named by the first argument.
import { text } from 'node:stream/consumers';
import { runCli } from '../../src/program.ts';

const [root = '', ...args] = process.argv.slice(2);
const { env, stdout: out, stderr: err } = process;
const readInput = () => text(process.stdin);
process.exit(await runCli(args, { env, cwd: process.cwd(), root, readInput, out, err }));

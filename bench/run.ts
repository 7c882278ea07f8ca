/** `npm run bench [-- NAME] [flags]`: what costs what, on this machine. */
import { constants } from 'node:os';
import { runAll } from './run-all.ts';
import { SECTIONS, USAGE } from './sections.ts';

const [name, ...flags] = process.argv.slice(2);
const section = name !== undefined && Object.hasOwn(SECTIONS, name) ? SECTIONS[name] : undefined;
const isAll = name === undefined || (name === '--quick' && flags.length === 0);

if (section !== undefined) {
  // Ends what was started: its handlers run when the process exits, not when a signal ends it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  await section.run();
} else if (isAll) await runAll(name === '--quick');
else {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
}

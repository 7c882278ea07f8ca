import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { say } from './measure/say.ts';
import { fixed, tableText } from './report/table.ts';
import { SECTIONS, type Section } from './sections.ts';

const MINUTE_MS = 60_000;
const ENDS_WITHIN_MS = 10_000;

/** Each section in a process of its own: what one leaves in memory is not in the figures of the next. */
const runSection = async (
  name: string,
  { quick, maxMinutes }: Section,
  isQuick: boolean,
): Promise<string> => {
  const args = [join(import.meta.dirname, 'run.ts'), name, ...(isQuick ? quick : [])];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', pass);
  let isLate = false;
  let killing: NodeJS.Timeout | undefined;
  const ending = setTimeout(() => {
    isLate = true;
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  }, maxMinutes * MINUTE_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(ending);
  clearTimeout(killing);
  process.off('SIGTERM', pass).off('SIGINT', pass);
  if (isLate) return `ended after ${maxMinutes} minutes`;
  return code === 0 ? 'ok' : `failed (${code ?? 'by a signal'})`;
};

/** Everything, one after the other; a section that fails stops no other, but fails the whole. */
export const runAll = async (isQuick: boolean): Promise<void> => {
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
  };
  process.on('SIGTERM', interrupt).on('SIGINT', interrupt);
  const rows: string[][] = [];
  for (const [name, section] of Object.entries(SECTIONS)) {
    if (isInterrupted) break;
    say(`\n== ${name}: ${section.what}`);
    process.stdout.write(`\n== ${name}\n`);
    const begun = performance.now();
    const outcome = await runSection(name, section, isQuick);
    rows.push([name, outcome, fixed((performance.now() - begun) / 1000, 0)]);
    if (outcome !== 'ok') process.exitCode = 1;
  }
  process.stdout.write(`\n${tableText(['section', 'outcome', 's'], rows)}\n`);
};

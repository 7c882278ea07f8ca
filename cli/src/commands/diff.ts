import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ConfigChanges } from '@sluice/contracts';
import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import { changeLines, countsText } from '../change-lines.ts';
import { explainRefusal, pluginsDirOf, readConfiguration } from '../configuration.ts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

type DiffOptions = AdminOptions & { plugins?: string };
type Answer = ConfigChanges & { readonly from: number; readonly to: number | null };

const VERSION = /^r?(\d{1,15})$/;

/**
 * Says what differs, and ends with 2 when anything does: a folder or file against the live configuration, an earlier
 * version against it, or two versions.
 */
export const diff = async (
  first: string | undefined,
  second: string | undefined,
  options: DiffOptions,
  io: Surroundings,
): Promise<number> => {
  const from = versionIn(first, io);
  const to = VERSION.exec(second ?? '')?.[1];
  if (second !== undefined && (from === undefined || to === undefined))
    return refuse(io, EXIT.invalid, 'two versions are compared, such as r3 r5; or one file', options);
  if (from === undefined) return diffFile(pathOf(io, first, 'config'), options, io);
  const answer = await readAdmin<Answer>(options, io, `/sluice/diff?from=${from}${to ? `&to=${to}` : ''}`);
  if (!answer.ok) return refuse(io, answer.exitCode, answer.why, options);
  return told(answer.value, `r${answer.value.from} and r${answer.value.to}`, options, io);
};

/** What stands there as a file is one. */
const versionIn = (text: string | undefined, { cwd }: Surroundings): string | undefined =>
  text === undefined || existsSync(resolve(cwd, text)) ? undefined : VERSION.exec(text)?.[1];

const diffFile = async (source: string, options: DiffOptions, io: Surroundings): Promise<number> => {
  const read = await readConfiguration(source, io);
  if (!read.ok) return refuse(io, EXIT.invalid, read.problems.join('\n  '), options);
  const { text, label } = read.configuration;
  const question = { method: 'POST', body: JSON.stringify({ config: text }) };
  const answer = await readAdmin<Answer>(options, io, '/sluice/diff', question);
  if (answer.ok) return told(answer.value, `live r${answer.value.from} and ${label}`, options, io);
  const why =
    answer.exitCode === EXIT.invalid
      ? await explainRefusal(source, answer.why, io, pluginsDirOf(io, options.plugins))
      : answer.why;
  return refuse(io, answer.exitCode, why, options);
};

const told = (answer: Answer, what: string, options: DiffOptions, io: Surroundings): number => {
  const isSame = Object.values(answer.counts).every((count) => count === 0);
  const exitCode = isSame ? EXIT.ok : EXIT.changes;
  if (options.json) printJson(io.out, answer);
  else if (isSame) printLine(io.out, `${paint(io.out, 'green', '✔')} ${what} are the same`);
  else
    for (const line of [`${what} differ: ${countsText(answer.counts)}`, ...changeLines(answer, io)])
      printLine(io.out, line);
  return exitCode;
};

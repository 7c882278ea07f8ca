/**
 * `npm run test:faults -- --bites`: every protection is taken out of a copy of the sources, one at a time, and the
 * test of its guarantee has to fail. What a test does not notice here it would not notice in a change either.
 */
import { configProtections } from './config-protections.ts';
import { edgeProtections } from './edge-protections.ts';
import type { Protection } from './protection.ts';
import { quotaProtections } from './quota-protections.ts';
import { roundProtections } from './round-protections.ts';
import { runTests } from './run-tests.ts';
import { SourceCopy } from './source-copy.ts';

/** Tests of a taken protection mostly wait for what never comes: several may wait at once. */
const AT_ONCE = 3;
const SHOWN = 150;

export const PROTECTIONS: readonly Protection[] = [
  ...quotaProtections,
  ...configProtections,
  ...edgeProtections,
  ...roundProtections,
];

/** Guarantees whose tests bite in a test of their own, in every run of `npm test`. */
export const BITTEN_IN: Readonly<Record<string, string>> = {
  Q1: 'services/quota-mirror/test/bites.test.ts',
  Q2: 'services/quota-mirror/test/bites.test.ts',
  Q3: 'services/quota-mirror/test/bites.test.ts',
  Q6: 'services/quota-mirror/test/bites-gaps.test.ts',
  C5: 'libs/config-log/test/bites.test.ts',
  L1: 'services/ratelimit/test/bites.test.ts',
  O2: 'services/edge-proxy/test/overload/gate.test.ts',
  O3: 'services/edge-proxy/test/upstream/bites.test.ts',
};

/** Guarantees without anything of ours that could be taken away, and why. */
export const NOTHING_TO_TAKE: Readonly<Record<string, string>> = {
  D5: 'an edge asks the registry for nothing',
  L4: 'what a replica has not got yet is for Redis to say; the test prints it',
  L5: 'no clock of an edge reaches the limiter',
};

export interface BitesRun {
  /** Only these rows; empty: all. */
  readonly rows: readonly string[];
  readonly say: (line: string) => void;
}

/** @returns how many protections could be taken away unnoticed. */
export const runBites = async ({ rows, say }: BitesRun): Promise<number> => {
  const wanted = PROTECTIONS.filter(({ row }) => rows.length === 0 || rows.includes(row));
  const unknown = rows.filter((row) => !PROTECTIONS.some((one) => one.row === row));
  if (unknown.length > 0)
    throw new Error(`--rows: no protection is listed for ${unknown.join(', ')}; see docs/guarantees.md`);
  const sound = await thatPassWhole(wanted, say);
  const waiting = [...sound];
  let unnoticed = wanted.length - sound.length;
  const work = async () => {
    using copy = new SourceCopy();
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      if (!(await bites(copy, next, say))) unnoticed += 1;
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted.length) }, work));
  say(`${sound.length} protections taken away; of ${wanted.length}, ${unnoticed} not shown to be noticed`);
  return unnoticed;
};

/** With nothing taken away every test passes: where one does not, its failure would say nothing. */
const thatPassWhole = async (
  wanted: readonly Protection[],
  say: BitesRun['say'],
): Promise<readonly Protection[]> => {
  using copy = new SourceCopy();
  const { passed, failed, problem } = await runTests(
    copy.root,
    [...new Set(wanted.map(({ test }) => test))],
    [...new Set(wanted.map(({ title }) => title))],
  );
  say(`nothing taken away: ${passed} tests pass, ${failed.length} fail ${problem ?? ''}`);
  for (const { name, said } of failed) say(`   ${name.slice(0, SHOWN)}\n   ${said.slice(0, SHOWN)}`);
  if (passed === 0) return [];
  return wanted.filter(({ title }) => !failed.some(({ name }) => name.includes(title)));
};

const bites = async (copy: SourceCopy, protection: Protection, say: BitesRun['say']): Promise<boolean> => {
  const { row, without, file, part, instead, test, title } = protection;
  copy.replace(file, part, instead);
  const { failed, problem } = await runTests(copy.root, [test], [title]);
  copy.restore();
  const [first] = failed;
  const verdict = first === undefined ? `UNNOTICED${problem === undefined ? '' : `, ${problem}`}` : 'fails';
  say(`${row} without ${without}: ${verdict}`);
  if (first !== undefined) say(`   ${first.said.slice(0, SHOWN)}`);
  return first !== undefined;
};

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BITTEN_IN, NOTHING_TO_TAKE, PROTECTIONS } from './bites/bites.ts';
import { timesIn } from './bites/source-copy.ts';

// That the tests fail without their protections is shown by `npm run test:faults -- --bites`; here, that the list
// of protections is about the sources as they are, and leaves no guarantee out.
const ROOT = join(import.meta.dirname, '..', '..');

test('every protection that can be taken away stands where the list says, once', () => {
  const lost = PROTECTIONS.filter(
    ({ file, part, test: path }) => timesIn(file, part) !== 1 || !existsSync(join(ROOT, path)),
  );
  expect(lost.map(({ row, without, file }) => `${row} ${file}: ${without}`)).toEqual([]);
});

test('every guarantee of the table is bitten: by the list, by a test of its own, or there is nothing to take', () => {
  const table = readFileSync(join(ROOT, 'docs', 'guarantees.md'), 'utf8');
  const rows = [...table.matchAll(/^\| ([QCDLOM]\d|S[56]) +\|/gm)].map(([, row = '']) => row);
  const bitten = new Set([
    ...PROTECTIONS.map(({ row }) => row),
    ...Object.keys(BITTEN_IN),
    ...Object.keys(NOTHING_TO_TAKE),
    ...['C8', 'L6'], // attackers: their tables fail bare http-proxy-3 in `tests/security/tables-bite.test.ts`
  ]);
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter((row) => !bitten.has(row))).toEqual([]);
  for (const path of Object.values(BITTEN_IN)) expect(existsSync(join(ROOT, path)), path).toBe(true);
});

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MODULE = join(import.meta.dirname, '..', 'src', 'heap-growth.ts');

/**
 * A process that holds 60 MB and lets go of as much again and again, each thing old enough to have left the young
 * generation. Tells how large its heap was at most, in MB, once the watch had its time.
 */
const CHURN = `
import { watchHeapGrowth } from ${JSON.stringify(MODULE)};
import { setTimeout as sleep } from 'node:timers/promises';
const isWatched = process.argv[1] === 'watched';
const stop = isWatched ? watchHeapGrowth({ roomBytes: 1, everyMs: 5 }) : () => undefined;
const pieceOf = (n) => ({ n, text: [n, n + 1, n + 2, n + 3] });
const held = Array.from({ length: 400_000 }, (_, n) => pieceOf(n));
const ring = new Array(20_000);
let most = 0;
for (let turn = 0; turn < 160; turn++) {
  for (let n = 0; n < ring.length; n++) ring[n] = pieceOf(n);
  await sleep(6);
  if (turn === 10) gc(); // from here on V8 counts anew
  if (turn > 10) most = Math.max(most, process.memoryUsage().heapUsed);
}
stop();
console.log(JSON.stringify({ most: most / 1e6, held: held.length }));
`;

const mostMegabytes = (how: 'watched' | 'by itself'): number => {
  const args = ['--input-type=module', '--max-semi-space-size=4', '--expose-gc', '-e', CHURN, how];
  const { most } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as { most: number };
  return most;
};

test('a large process collects old garbage sooner than V8 by itself', () => {
  const [byItself, watched] = [mostMegabytes('by itself'), mostMegabytes('watched')];
  // 60 MB that live and a sixth, and the young generation; V8 alone takes 130 to 240.
  expect(watched, `${byItself} MB by itself`).toBeLessThan(100);
  expect(byItself).toBeGreaterThan(110);
});

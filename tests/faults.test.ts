import { expect, test } from 'vitest';
import { GatewayWorld } from './faults/gateway-world.ts';
import { FaultRun } from './faults/rounds.ts';
import { roundOf } from './faults/schedule.ts';

// The long form: npm run test:faults -- --rounds 50
const SEED = Number(process.env.FAULT_SEED ?? 3);
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);

test(
  `given ${ROUNDS} rounds of faults on everything under load (seed ${SEED}), then no guarantee is violated`,
  async () => {
    await using world = await GatewayWorld.start();
    const said: string[] = [];
    const run = new FaultRun(world, (line) => said.push(line));

    await run.rounds(ROUNDS, SEED);

    expect(
      run.results.flatMap(({ violations }) => violations),
      said.join('\n'),
    ).toEqual([]);
    expect(run.counts.requests).toBeGreaterThan(0);
    expect(run.counts.looks).toBeGreaterThan(0);
  },
  120_000 + ROUNDS * 60_000,
);

test('given a seed, then every round of it is the same again, and another seed is another schedule', () => {
  expect(roundOf(7, 3)).toEqual(roundOf(7, 3));
  expect(roundOf(7, 3)).not.toEqual(roundOf(8, 3));
  const parts = new Set(
    Array.from({ length: 60 }, (_, n) => roundOf(7, n))
      .flat()
      .map(({ part }) => part),
  );
  expect(parts.size).toBe(10);
});

/** `npm run test:faults`: seeded faults under load, and what became of each guarantee; and that its tests bite. */
import { parseArgs } from 'node:util';
import { runBites } from './bites/bites.ts';
import { measureConvergence } from './convergence.ts';
import { gatewayRows } from './gateway-rows.ts';
import { GatewayWorld } from './gateway-world.ts';
import { longRun } from './million.ts';
import { quotaRows } from './quota-rows.ts';
import { FaultRun } from './rounds.ts';

const USAGE = `usage: npm run test:faults -- [--rounds 10] [--seed 1] [--first 1]
       npm run test:faults -- --events 1000000 [--kills 100] [--tenants 1000] [--seed 1]
       npm run test:faults -- --partition 60 [--kills 100]
       npm run test:faults -- --quota Q1,Q3,Q4,Q5 [--tenants 1000] [--per-second 500] [--seconds 60] [--apart 180] [--kills 100]
       npm run test:faults -- --gateway C1,C2,C3,O3,O4 [--seconds 60] [--kills 100]
       npm run test:faults -- --bites [--rows Q4,C4]`;

const say = (line: string) => process.stdout.write(`${line}\n`);

const namesIn = (list: string): readonly string[] => list.split(',').filter((name) => name !== '');

const readOptions = () => {
  const text = (byDefault: string) => ({ type: 'string', default: byDefault }) as const;
  const {
    values: { bites, rows, quota, gateway, ...values },
  } = parseArgs({
    options: {
      ...{ rounds: text('10'), seed: text('1'), first: text('1') },
      ...{ events: text('0'), kills: text('100'), tenants: text('1000') },
      partition: text('0'),
      ...{ 'per-second': text('500'), seconds: text('60'), apart: text('180'), quota: text('') },
      gateway: text(''),
      ...{ bites: { type: 'boolean', default: false }, rows: text('') },
    },
  });
  const numbers = Object.entries(values).map(([name, given]) => {
    const value = Number(given);
    if (!Number.isInteger(value) || value < 0)
      throw new Error(`--${name}: give a whole number, not ${given}\n${USAGE}`);
    return [name, value] as const;
  });
  const given = Object.fromEntries(numbers) as Record<keyof typeof values, number>;
  return { ...given, bites, rows: namesIn(rows), quota: namesIn(quota), gateway: namesIn(gateway) };
};

const runRounds = async ({ rounds, seed, first }: ReturnType<typeof readOptions>): Promise<number> => {
  say(
    `${rounds} rounds of seed ${seed}; one alone: npm run test:faults -- --seed ${seed} --first N --rounds 1`,
  );
  await using world = await GatewayWorld.start();
  const run = new FaultRun(world, say);
  await run.rounds(rounds, seed, first);
  say('');
  say('guarantee                                          faults  violations');
  for (const { guarantee, faults, violations } of run.results)
    say(`${guarantee.padEnd(50)} ${`${faults}`.padStart(6)} ${`${violations.length}`.padStart(11)}`);
  const { events, requests, configurations, looks } = run.counts;
  say(`${events} events, ${configurations} configurations, ${requests} requests, ${looks} looks at versions`);
  for (const { figures } of [run.who, run.limits, run.upstreams]) say(figures);
  return run.results.reduce((sum, { violations }) => sum + violations.length, 0);
};

const main = async (): Promise<number> => {
  const options = readOptions();
  if (options.bites) return runBites({ rows: options.rows, say });
  if (options.partition > 0)
    return measureConvergence({ seconds: options.partition, kills: options.kills, say });
  const { quota: rows, 'per-second': perSecond, apart: apartSeconds } = options;
  if (rows.length > 0) return quotaRows({ ...options, rows, perSecond, apartSeconds, say });
  if (options.gateway.length > 0) return gatewayRows({ ...options, rows: options.gateway, say });
  return options.events > 0 ? longRun({ ...options, say }) : runRounds(options);
};

try {
  process.exit((await main()) === 0 ? 0 : 1); // what was started ends with us
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(2);
}

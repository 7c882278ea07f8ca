/**
 * Quota events per second: `npm run bench -- quota`. A backlog is published while the mirror stands still, then it
 * works through it: decode, Redis, the stream of newest states, ack. Then the same with a mirror that is killed in
 * the middle, so that much is delivered again. In the end every tenant's state has to be exactly what follows from
 * the events; else the exit code is 1.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuMicros } from '../measure/cpu.ts';
import { say } from '../measure/say.ts';
import { halfRange, median } from '../measure/statistics.ts';
import { wholeNumber } from '../measure/whole-number.ts';
import { type Figure, figuresText, isMet } from '../report/figures.ts';
import { saveJson } from '../report/save.ts';
import { fixed, tableText } from '../report/table.ts';
import { differences } from './differences.ts';
import { Expected, quotaEvents } from './events.ts';
import { QuotaWorld } from './servers.ts';

const USAGE = `npm run bench -- quota [flags]
  --quick        one round of 30,000 events
  --rounds N     rounds (default 3)
  --events N     events of a round (default 60000)
  --tenants N    (default 1000)
  --enforce      exit with 1 when a budget is not met`;
const SEED = 7;
const PROCESSES = ['quota-mirror', 'nats', 'redis'] as const;
/** The mirror is killed when so much of the last backlog is done. */
const KILLED_AT = 0.4;
const SHOWN = 10;

const readOptions = () => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      events: { type: 'string' },
      tenants: { type: 'string' },
      enforce: { type: 'boolean', default: false },
    },
  });
  return {
    rounds: wholeNumber('rounds', values.rounds, values.quick ? 1 : 3, USAGE),
    events: wholeNumber('events', values.events, values.quick ? 30_000 : 60_000, USAGE),
    tenants: wholeNumber('tenants', values.tenants, 1000, USAGE),
    isEnforced: values.enforce,
  };
};
type Options = ReturnType<typeof readOptions>;

interface Round {
  readonly perSecond: number;
  /** Messages written to the stream of newest states for each event: less, the more events share one. */
  readonly stored: number;
  /** CPU-µs for each event, by process. */
  readonly cpu: Readonly<Record<(typeof PROCESSES)[number], number>>;
}

const cpuNow = ({ mirrorPid, nats, redisServer }: QuotaWorld): number[] =>
  [mirrorPid, nats.pid ?? 0, redisServer.pid ?? 0].map(cpuMicros);

/** Publishes while the mirror stands still, so that the publisher's work is not in the figures. */
const publishBacklog = async (
  world: QuotaWorld,
  events: Parameters<QuotaWorld['publish']>[0],
  expected: Expected,
) => {
  process.kill(world.mirrorPid, 'SIGSTOP');
  try {
    await world.publish(events, expected);
  } finally {
    process.kill(world.mirrorPid, 'SIGCONT');
  }
};

const measureRound = async (
  world: QuotaWorld,
  events: Parameters<QuotaWorld['publish']>[0],
  expected: Expected,
): Promise<Round> => {
  await publishBacklog(world, events, expected);
  const { lastSeq: storedBefore } = await world.jetstream.streamInfo('QUOTA_LATEST');
  const before = cpuNow(world);
  const begun = performance.now();
  await world.settled();
  const seconds = (performance.now() - begun) / 1000;
  const after = cpuNow(world);
  const { lastSeq } = await world.jetstream.streamInfo('QUOTA_LATEST');
  const [mirror = 0, nats = 0, redis = 0] = after.map(
    (micros, n) => (micros - (before[n] ?? 0)) / events.length,
  );
  const stored = (lastSeq - storedBefore) / events.length;
  return { perSecond: events.length / seconds, stored, cpu: { 'quota-mirror': mirror, nats, redis } };
};

/** Kills the mirror in the middle of a backlog; another takes over. @returns the most that were redelivered. */
const killInTheMiddle = async (
  world: QuotaWorld,
  events: Parameters<QuotaWorld['publish']>[0],
  expected: Expected,
): Promise<number> => {
  await publishBacklog(world, events, expected);
  await world.settled(Math.floor(events.length * (1 - KILLED_AT)));
  process.kill(world.mirrorPid, 'SIGKILL');
  await world.startMirror();
  return world.settled();
};

const measureAll = async (options: Options, world: QuotaWorld, expected: Expected) => {
  const source = quotaEvents(options.tenants, SEED);
  const next = (count: number) => Array.from({ length: count }, () => source.next().value);
  say('warming up');
  await measureRound(world, next(Math.ceil(options.events / 2)), expected);
  const rounds: Round[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const one = await measureRound(world, next(options.events), expected);
    say(`round ${round} of ${options.rounds}: ${fixed(one.perSecond, 0)} events/s`);
    rounds.push(one);
    await sleep(500); // the mirror's timers and the servers' files
  }
  say('a mirror is killed in the middle of a backlog');
  const redelivered = await killInTheMiddle(world, next(Math.ceil(options.events / 3)), expected);
  return { rounds, redelivered };
};

const rateOf = (rounds: readonly Round[]): number => median(rounds.map(({ perSecond }) => perSecond));
const cpuOf = (rounds: readonly Round[], name: (typeof PROCESSES)[number]): number =>
  median(rounds.map(({ cpu }) => cpu[name]));

const figuresOf = (rounds: readonly Round[]): Figure[] => [
  {
    ...{ what: 'events applied, guarantees on', unit: 'events/s', measured: rateOf(rounds) },
    ...{ is: 'at least', demand: 50_000, stretch: 80_000 },
  },
  {
    ...{ what: 'quota-mirror for an event', unit: 'CPU µs', measured: cpuOf(rounds, 'quota-mirror') },
    ...{ is: 'at most', demand: 8, stretch: 4 },
  },
];

const tableOf = (rounds: readonly Round[]): string =>
  tableText(
    ['', 'events/s', '±', 'stored/event', ...PROCESSES.map((name) => `${name} CPU µs`)],
    [
      [
        'one quota-mirror',
        fixed(rateOf(rounds), 0),
        fixed(halfRange(rounds.map(({ perSecond }) => perSecond)), 0),
        fixed(median(rounds.map(({ stored }) => stored)), 2),
        ...PROCESSES.map((name) => fixed(cpuOf(rounds, name), 1)),
      ],
    ],
  );

const main = async (): Promise<void> => {
  const options = readOptions();
  await using world = await QuotaWorld.start();
  const expected = new Expected();
  const { rounds, redelivered } = await measureAll(options, world, expected);
  const found = await differences(world, expected);
  const figures = figuresOf(rounds);
  const state =
    found.length === 0
      ? `exact for ${expected.states.size} tenants, ${redelivered} events redelivered after the kill`
      : `WRONG in ${found.length} places:\n${found.slice(0, SHOWN).join('\n')}`;
  process.stdout.write(`${tableOf(rounds)}\n\n${figuresText(figures)}\n\nfinal state: ${state}\n`);
  saveJson('quota', { options, rounds, redelivered, differences: found, figures });
  if (found.length > 0 || (options.isEnforced && !figures.every(isMet))) process.exitCode = 1;
};

await main();

/**
 * Quota events per second: `npm run bench -- quota`. A backlog is published while the mirror stands still, then it
 * works through it: decode, Redis, the stream of newest states, ack. In turn with that events are published while
 * it works. Then a mirror is killed in the middle of a backlog, so that much is delivered again. In the end every
 * tenant's state has to be exactly what follows from the events; else the exit code is 1.
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
const PROCESSES = ['quota-mirror', 'nats', 'redis', 'bench'] as const;
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
  /** Events that Redis had, for each second since the first could be worked on. */
  readonly appliedPerSecond: number;
  /** The same until each is in the stream of newest states, too, and acknowledged. */
  readonly settledPerSecond: number;
  /** Messages written to the stream of newest states for each event: less, the more events share one. */
  readonly stored: number;
  /** CPU-µs for each event, by process. */
  readonly cpu: Readonly<Record<(typeof PROCESSES)[number], number>>;
}
type Events = Parameters<QuotaWorld['publish']>[0];

const cpuNow = ({ mirrorPid, nats, redisServer }: QuotaWorld): number[] =>
  [mirrorPid, nats.pid ?? 0, redisServer.pid ?? 0, process.pid].map(cpuMicros);

/** The events wait while the mirror stands still, so that the publisher's work is not in the figures. */
const backlog = (world: QuotaWorld, events: Events, expected: Expected) => {
  const { mirrorPid } = world;
  return {
    prepare: async () => {
      process.kill(mirrorPid, 'SIGSTOP');
      await world.publish(events, expected).catch((error: unknown) => {
        process.kill(mirrorPid, 'SIGCONT');
        throw error;
      });
    },
    start: () => Promise.resolve(process.kill(mirrorPid, 'SIGCONT')),
  };
};

/** The mirror works while the bench publishes, on the same cores. */
const live = (world: QuotaWorld, events: Events, expected: Expected) => ({
  prepare: () => Promise.resolve(),
  start: () => world.publish(events, expected),
});

/** Measures from the start until `count` more events are applied and settled. */
const measure = async (
  world: QuotaWorld,
  count: number,
  { prepare, start }: ReturnType<typeof backlog | typeof live>,
): Promise<Round> => {
  const { lastSeq: storedBefore } = await world.jetstream.streamInfo('QUOTA_LATEST');
  const all = (await world.applied()) + count;
  await prepare();
  const before = cpuNow(world);
  const begun = performance.now();
  await start();
  await world.appliedAll(all);
  const appliedMs = performance.now() - begun;
  await world.settled();
  const settledMs = performance.now() - begun;
  const micros = cpuNow(world).map((now, n) => (now - (before[n] ?? 0)) / count);
  const { lastSeq } = await world.jetstream.streamInfo('QUOTA_LATEST');
  const [mirror = 0, nats = 0, redis = 0, bench = 0] = micros;
  return {
    appliedPerSecond: (count / appliedMs) * 1000,
    settledPerSecond: (count / settledMs) * 1000,
    stored: (lastSeq - storedBefore) / count,
    cpu: { 'quota-mirror': mirror, nats, redis, bench },
  };
};

/** Kills the mirror in the middle of a backlog; another takes over. @returns the most that were redelivered. */
const killInTheMiddle = async (world: QuotaWorld, events: Events, expected: Expected): Promise<number> => {
  const { prepare, start } = backlog(world, events, expected);
  await prepare();
  await start();
  await world.settled(Math.floor(events.length * (1 - KILLED_AT)));
  process.kill(world.mirrorPid, 'SIGKILL');
  await world.startMirror();
  return world.settled();
};

interface Rounds {
  readonly backlog: readonly Round[];
  readonly live: readonly Round[];
}

const measureAll = async (options: Options, world: QuotaWorld, expected: Expected) => {
  const source = quotaEvents(options.tenants, SEED);
  const next = (count: number) => Array.from({ length: count }, () => source.next().value);
  say('warming up');
  await measure(world, options.events, live(world, next(options.events), expected));
  const rounds = { backlog: [] as Round[], live: [] as Round[] };
  for (let round = 1; round <= options.rounds; round++) {
    for (const [how, begin] of [
      ['backlog', backlog],
      ['live', live],
    ] as const) {
      const one = await measure(world, options.events, begin(world, next(options.events), expected));
      say(`round ${round} of ${options.rounds}, ${how}: ${fixed(one.appliedPerSecond, 0)} events/s applied`);
      rounds[how].push(one);
      await sleep(500); // the mirror's timers and the servers' files
    }
  }
  say('a mirror is killed in the middle of a backlog');
  const redelivered = await killInTheMiddle(world, next(Math.ceil(options.events / 3)), expected);
  return { rounds, redelivered };
};

const rateOf = (rounds: readonly Round[]): number =>
  median(rounds.map(({ appliedPerSecond }) => appliedPerSecond));
const cpuOf = (rounds: readonly Round[], name: (typeof PROCESSES)[number]): number =>
  median(rounds.map(({ cpu }) => cpu[name]));

/** Of a backlog the demand is the budgets'; of events that are published meanwhile, what the service levels ask. */
const figuresOf = ({ backlog, live }: Rounds): Figure[] => [
  {
    ...{ what: 'applied from a backlog, guarantees on', unit: 'events/s', measured: rateOf(backlog) },
    ...{ is: 'at least', demand: 50_000, stretch: 80_000 },
  },
  {
    ...{ what: 'applied while published, guarantees on', unit: 'events/s', measured: rateOf(live) },
    ...{ is: 'at least', demand: 20_000, stretch: 50_000 },
  },
  {
    ...{ what: 'quota-mirror for an event', unit: 'CPU µs', measured: cpuOf(backlog, 'quota-mirror') },
    ...{ is: 'at most', demand: 8, stretch: 4 },
  },
];

const rowOf = (title: string, rounds: readonly Round[]): string[] => [
  title,
  fixed(rateOf(rounds), 0),
  fixed(halfRange(rounds.map(({ appliedPerSecond }) => appliedPerSecond)), 0),
  fixed(median(rounds.map(({ settledPerSecond }) => settledPerSecond)), 0),
  fixed(median(rounds.map(({ stored }) => stored)), 2),
  ...PROCESSES.map((name) => fixed(cpuOf(rounds, name), 1)),
];

const tableOf = ({ backlog, live }: Rounds): string =>
  tableText(
    [
      'one quota-mirror',
      'applied/s',
      '±',
      'settled/s',
      'stored/event',
      ...PROCESSES.map((name) => `${name} CPU µs`),
    ],
    [rowOf('a backlog, published before', backlog), rowOf('published at the same time', live)],
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

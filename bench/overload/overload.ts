/**
 * What an edge does when it is asked for three times what it can do: `npm run bench -- overload`. First the capacity
 * is measured (64 connections that ask as fast as they are answered), then three times that is offered by many
 * connections that do not wait for each other, then half of it. What a client sees is told by a sampler beside the
 * load: a few requests of the same tenants, each sent at its time whatever became of the one before.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { call } from '@sluice/testkit';
import { findPrograms } from '../chain/programs.ts';
import { assertAnswers, type Started, startSubject } from '../chain/subjects.ts';
import { VARIANTS } from '../chain/variants.ts';
import { World } from '../chain/world.ts';
import { percentile } from '../light-load.ts';
import { warmUp } from '../measure/burst.ts';
import { cpuMicros, foreignMicros } from '../measure/cpu.ts';
import { say } from '../measure/say.ts';
import { sum } from '../measure/statistics.ts';
import { wholeNumber } from '../measure/whole-number.ts';
import { wrk } from '../measure/wrk.ts';
import { startUpstream } from '../peers/servers.ts';
import { type Figure, figuresText, isMet } from '../report/figures.ts';
import { saveJson } from '../report/save.ts';
import { fixed, tableText } from '../report/table.ts';
import { type Sample, Sampler } from './sampler.ts';

const USAGE = `npm run bench -- overload [flags]
  --quick             8 s of overload
  --seconds N         of overload (default 60)
  --chain full|plain  what a request goes through (default full)
  --enforce           exit with 1 when a figure is missed`;
const TIMES = 3;
const CONNECTIONS = 1500;
/** What an answer takes under overload: a connection asks again so much later than it means to, in ms. */
const ANSWER_MS = 30;
const WARM_UP_SECONDS = 6;
const SAMPLES_PER_SECOND = 150;
const AFTER_SECONDS = 6;
const LOOK_EVERY_MS = 50;

const readOptions = () => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      chain: { type: 'string', default: 'full' },
      enforce: { type: 'boolean', default: false },
    },
  });
  if (values.chain !== 'full' && values.chain !== 'plain')
    throw new Error(`--chain is '${values.chain}': give full or plain\n${USAGE}`);
  return {
    seconds: wholeNumber('seconds', values.seconds, values.quick ? 8 : 60, USAGE),
    chain: values.chain,
    isEnforced: values.enforce,
  };
};
type Options = ReturnType<typeof readOptions>;

/** One load, as who sent it and as the sampler beside it saw it. */
interface Phase {
  readonly title: string;
  readonly answeredPerSecond: number;
  readonly refusedPerSecond: number;
  readonly answeredP50Ms: number;
  readonly answeredP99Ms: number;
  readonly refusedP50Ms: number;
  readonly refusedP99Ms: number;
  /** Of refusals, those that say when to come back. */
  readonly toldShare: number;
  /** Share of the time that the edge had the CPU. */
  readonly busy: number;
  /** Share of the machine's CPU that went to processes which are no part of the bench. */
  readonly foreign: number;
  readonly samples: number;
  readonly endedAt: number;
}

interface LoadOptions {
  readonly title: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second that all connections ask for; absent: as fast as they are answered. */
  readonly perSecond?: number;
}

/** wrk's script with pauses: each connection asks at a random time of its own. */
const paced = (
  folder: string,
  script: string | undefined,
  { connections, perSecond }: LoadOptions,
): string => {
  const file = join(folder, `paced-${perSecond ?? 'none'}.lua`);
  const pauseMs = perSecond === undefined ? 0 : Math.max(1, (1000 * connections) / perSecond - ANSWER_MS);
  const pause = pauseMs === 0 ? '' : `function delay() return math.random(0, ${Math.round(2 * pauseMs)}) end`;
  writeFileSync(file, `${script === undefined ? '' : `dofile("${script}")`}\n${pause}\n`);
  return file;
};

const p = (samples: readonly Sample[], share: number): number =>
  percentile(
    samples.map(({ tookMs }) => tookMs),
    share,
  );

interface Bench {
  readonly world: World;
  readonly subject: Started;
  readonly sampler: Sampler;
  /** Every process of the bench. */
  readonly pids: ReadonlySet<number>;
}

const run = async ({ world, subject, sampler, pids: ours }: Bench, options: LoadOptions): Promise<Phase> => {
  say(options.title);
  const { connections, seconds, title } = options;
  const { port, load } = subject;
  const pids = subject.processes.edge ?? [];
  const cpuBefore = sum(pids.map(cpuMicros));
  const foreignBefore = foreignMicros(ours);
  const from = performance.now();
  const script = paced(world.folder, load.script, options);
  const { requests, failures } = await wrk(port, { ...load, connections, script }, seconds);
  const endedAt = performance.now();
  const took = (endedAt - from) / 1000;
  const cpu = sum(pids.map(cpuMicros)) - cpuBefore;
  const foreign = (foreignMicros(ours) - foreignBefore) / (took * 1e6 * availableParallelism());
  await sleep(100); // what was asked for last
  const seen = sampler.between(from + 1000, endedAt); // connections are opened in the first second
  const answered = seen.filter(({ status }) => status === 200);
  const refused = seen.filter(({ status }) => status === 503);
  return {
    title,
    answeredPerSecond: (requests - failures) / took,
    refusedPerSecond: failures / took,
    ...{ answeredP50Ms: p(answered, 0.5), answeredP99Ms: p(answered, 0.99) },
    ...{ refusedP50Ms: p(refused, 0.5), refusedP99Ms: p(refused, 0.99) },
    toldShare: refused.filter(({ hasRetryAfter }) => hasRetryAfter).length / refused.length,
    busy: cpu / (1e6 * took),
    foreign,
    samples: seen.length,
    endedAt,
  };
};

/** ms after the overload until the gate is at rest, as the status port says. */
const untilNormal = async ({ statusPorts: [port = 0] }: Started, from: number): Promise<number> => {
  for (;;) {
    const { text } = await call(`http://127.0.0.1:${port}`, '/metrics');
    if (/^sluice_overload_state(\{[^}]*\})? 0$/m.test(text)) return performance.now() - from;
    await sleep(LOOK_EVERY_MS);
  }
};

interface Result {
  readonly normal: Phase;
  readonly over: Phase;
  readonly after: Phase;
  readonly normalAfterMs: number;
  /** When the last request was refused after the overload, in ms; 0: none was. */
  readonly lastRefusalMs: number;
}

const measureAll = async (world: World, subject: Started, { seconds, chain }: Options): Promise<Result> => {
  const pids = new Set([process.pid, ...world.pids, ...Object.values(subject.processes).flat()]);
  const headers = chain === 'plain' ? [{}] : world.few.all;
  say('warming up');
  await warmUp(subject, WARM_UP_SECONDS, pids);
  const of = { port: subject.port, path: subject.load.path, headers };
  const sampler = new Sampler({ ...of, perSecond: SAMPLES_PER_SECOND });
  const bench = { world, subject, sampler, pids };
  const normal = await run(bench, {
    ...{ title: 'as much as it can', connections: 64, seconds: Math.min(10, seconds) },
  });
  const capacity = normal.answeredPerSecond;
  const over = await run(bench, {
    ...{ title: `${TIMES} times that`, connections: CONNECTIONS, seconds, perSecond: TIMES * capacity },
  });
  const normalAgain = untilNormal(subject, over.endedAt);
  const after = await run(bench, {
    ...{ title: 'half of it, afterwards', connections: 64, seconds: AFTER_SECONDS, perSecond: capacity / 2 },
  });
  const normalAfterMs = await normalAgain;
  await sampler.stop();
  const refused = sampler
    .between(over.endedAt, Number.POSITIVE_INFINITY)
    .filter(({ status }) => status === 503);
  const lastRefusalMs = Math.max(0, ...refused.map(({ at }) => at - over.endedAt));
  return { normal, over, after, normalAfterMs, lastRefusalMs };
};

const figuresOf = ({ normal, over, normalAfterMs, lastRefusalMs }: Result): Figure[] => {
  const offered = (over.answeredPerSecond + over.refusedPerSecond) / normal.answeredPerSecond;
  const goodput = (100 * over.answeredPerSecond) / normal.answeredPerSecond;
  const slower = over.answeredP99Ms / normal.answeredP99Ms;
  return [
    { what: 'offered', unit: 'x capacity', measured: offered, is: 'at least', demand: 0.9 * TIMES },
    { what: 'goodput', unit: '% of capacity', measured: goodput, is: 'at least', demand: 90 },
    { what: 'refusals, p99', unit: 'ms', measured: over.refusedP99Ms, is: 'at most', demand: 50 },
    {
      what: 'refusals with Retry-After',
      unit: '%',
      measured: 100 * over.toldShare,
      is: 'at least',
      demand: 100,
    },
    { what: 'admitted, p99', unit: 'x normal', measured: slower, is: 'at most', demand: 3 },
    { what: 'last refusal after the end', unit: 'ms', measured: lastRefusalMs, is: 'at most', demand: 5000 },
    { what: 'gate at rest after the end', unit: 'ms', measured: normalAfterMs, is: 'at most', demand: 5000 },
  ];
};

const tableOf = (phases: readonly Phase[]): string =>
  tableText(
    ['', 'answered/s', 'p50 ms', 'p99', 'refused/s', 'p50 ms', 'p99', 'edge CPU', 'foreign', 'samples'],
    phases.map((one) => [
      one.title,
      fixed(one.answeredPerSecond, 0),
      ...[one.answeredP50Ms, one.answeredP99Ms].map((ms) => fixed(ms, 1)),
      fixed(one.refusedPerSecond, 0),
      ...[one.refusedP50Ms, one.refusedP99Ms].map((ms) => (Number.isNaN(ms) ? '' : fixed(ms, 1))),
      ...[one.busy, one.foreign].map((share) => `${fixed(100 * share, 0)} %`),
      `${one.samples}`,
    ]),
  );

/** CPU of a request that is answered, and what is left of the overload's for one that is refused, in µs. */
const costsOf = ({ normal, over }: Result): { readonly answered: number; readonly refused: number } => {
  const answered = (1e6 * normal.busy) / normal.answeredPerSecond;
  return { answered, refused: (1e6 * over.busy - over.answeredPerSecond * answered) / over.refusedPerSecond };
};

const main = async (): Promise<void> => {
  const options = readOptions();
  const programs = findPrograms();
  await using world = await World.start((folder) => startUpstream(programs.nginx, folder));
  const variant = VARIANTS.find(({ id }) => id === options.chain);
  const subject = variant && (await startSubject(variant, world, programs));
  if (variant === undefined || subject === undefined) throw new Error(`there is no variant ${options.chain}`);
  await world.load();
  await assertAnswers(variant, subject.port, world);
  const result = await measureAll(world, subject, options);
  const { normal, over, after } = result;
  const figures = figuresOf(result);
  const costs = costsOf(result);
  process.stdout.write(
    `${variant.title}\n${tableOf([normal, over, after])}\n\n${figuresText(figures)}\n\n` +
      `CPU of the edge for an answer ${fixed(costs.answered, 0)} µs, for a refusal ${fixed(costs.refused, 0)} µs\n`,
  );
  saveJson('overload', { options, ...result, costs, figures });
  if (options.isEnforced && !figures.every(isMet)) process.exitCode = 1;
};

await main();

/**
 * What a stream of events costs: `npm run bench -- streams`. Many clients hold one stream each and get an event
 * every 100 ms; the same through nginx, bare http-proxy-3 and the gateway, one after the other, and without any of
 * them. The clients are in this process, the upstream in one of its own.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { call, eventually, freePort } from '@sluice/testkit';
import { findPrograms } from '../chain/programs.ts';
import { assertAnswers, startSubject } from '../chain/subjects.ts';
import { VARIANTS } from '../chain/variants.ts';
import { World } from '../chain/world.ts';
import { percentile } from '../light-load.ts';
import { startChild } from '../measure/children.ts';
import { cpuMicros, rssMb } from '../measure/cpu.ts';
import { say } from '../measure/say.ts';
import { sum } from '../measure/statistics.ts';
import { wholeNumber } from '../measure/whole-number.ts';
import type { Peer } from '../peers/servers.ts';
import { type Figure, figuresText, isMet } from '../report/figures.ts';
import { saveJson } from '../report/save.ts';
import { fixed, tableText } from '../report/table.ts';
import { type Client, openStream, Seen } from './clients.ts';

const USAGE = `npm run bench -- streams [flags]
  --quick       2 s and 500 clients
  --clients N   streams open at once (default 1000)
  --seconds N   time measured with all of them (default 5)
  --enforce     exit with 1 when a budget is not met`;
const IDS = ['nginx', 'http-proxy-3', 'plain', 'full'];
const ALONE = 100; // streams opened one after the other, for the first byte
const WARM_UP_ALONE = 50;
const OPENED_AT_ONCE = 50;

const readOptions = () => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      quick: { type: 'boolean', default: false },
      clients: { type: 'string' },
      seconds: { type: 'string' },
      enforce: { type: 'boolean', default: false },
    },
  });
  return {
    clients: wholeNumber('clients', values.clients, values.quick ? 500 : 1000, USAGE),
    seconds: wholeNumber('seconds', values.seconds, values.quick ? 2 : 5, USAGE),
    isEnforced: values.enforce,
  };
};
type Options = ReturnType<typeof readOptions>;

interface Way {
  readonly id: string;
  readonly title: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the gateway alone. */
  readonly pids: readonly number[];
}

interface Result {
  readonly id: string;
  readonly title: string;
  readonly eventsPerSecond: number;
  /** CPU-µs of the gateway for an event. */
  readonly cpu: number;
  readonly firstP50Ms: number;
  readonly firstP99Ms: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly rssMb: number;
  readonly gaps: number;
  /** Streams that the upstream still has open after the clients left. */
  readonly leftOpen: number;
}

const startStreamer = async (folder: string): Promise<Peer> => {
  const port = await freePort();
  const args = [join(import.meta.dirname, 'upstream.ts'), `${port}`];
  const logFile = join(folder, 'streamer.log');
  return { port, child: await startChild({ command: process.execPath, args, logFile, port }) };
};

const startWays = async (world: World): Promise<Way[]> => {
  const programs = findPrograms();
  const ways: Way[] = [
    { id: 'direct', title: 'no gateway', port: world.upstreamPort, path: '/sse', headers: {}, pids: [] },
  ];
  const entries = [];
  for (const variant of VARIANTS.filter(({ id }) => IDS.includes(id))) {
    say(`starting ${variant.title}`);
    const subject = await startSubject(variant, world, programs);
    if (subject !== undefined) entries.push({ variant, subject });
  }
  await world.load();
  for (const { variant, subject } of entries) {
    await assertAnswers(variant, subject.port, world);
    const { id, title, tokens } = variant;
    const path = variant.path.replace(/\/[^/]*$/, '/sse');
    const headers = world[tokens].example;
    ways.push({
      id,
      title,
      port: subject.port,
      path,
      headers,
      pids: Object.values(subject.processes)[0] ?? [],
    });
  }
  return ways;
};

const openAlone = async (way: Way, count: number): Promise<number[]> => {
  const delays: number[] = [];
  for (let n = 0; n < count; n++) {
    const { socket, firstMs } = await openStream(way.port, way, new Seen());
    delays.push(firstMs);
    socket.destroy();
  }
  return delays;
};

const openMany = async (way: Way, count: number, seen: Seen): Promise<Client[]> => {
  const clients: Client[] = [];
  while (clients.length < count) {
    const wave = Math.min(OPENED_AT_ONCE, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: wave }, () => openStream(way.port, way, seen)))));
  }
  return clients;
};

/** Streams open at the upstream, once it has noticed that clients left; or after two seconds all the same. */
const leftOpen = async (upstreamPort: number): Promise<number> => {
  const look = async () =>
    (await call(`http://127.0.0.1:${upstreamPort}`, '/open')).json<{ open: number }>().open;
  await eventually(async () => (await look()) === 0, 2000).catch(() => undefined);
  return look();
};

const measureWay = async (
  way: Way,
  { clients: count, seconds }: Options,
  upstreamPort: number,
): Promise<Result> => {
  await openAlone(way, WARM_UP_ALONE);
  const first = await openAlone(way, ALONE);
  const seen = new Seen();
  const clients = await openMany(way, count, seen);
  await sleep(1000);
  const gapsBefore = seen.gaps;
  seen.reset();
  const before = sum(way.pids.map(cpuMicros));
  const begun = performance.now();
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - begun) / 1000;
  const micros = sum(way.pids.map(cpuMicros)) - before;
  const { events, gaps } = seen;
  const delays = [...seen.delaysMs];
  const rss = sum(way.pids.map(rssMb));
  for (const { socket } of clients) socket.destroy();
  return {
    ...{ id: way.id, title: way.title, eventsPerSecond: events / elapsed, cpu: micros / Math.max(1, events) },
    ...{ firstP50Ms: percentile(first, 0.5), firstP99Ms: percentile(first, 0.99) },
    ...{ delayP50Ms: percentile(delays, 0.5), delayP99Ms: percentile(delays, 0.99) },
    ...{ rssMb: rss, gaps: gaps + gapsBefore, leftOpen: await leftOpen(upstreamPort) },
  };
};

const figuresOf = (results: readonly Result[]): Figure[] => {
  const of = (wanted: string) => results.find(({ id }) => id === wanted);
  const direct = of('direct')?.firstP50Ms ?? Number.NaN;
  return ['plain', 'full'].flatMap((id): Figure[] => {
    const result = of(id);
    if (result === undefined) return [];
    const { title, firstP50Ms, gaps, leftOpen: left } = result;
    return [
      {
        ...{ what: `${title}: first byte later than without a gateway, p50`, unit: 'ms' },
        ...{ measured: firstP50Ms - direct, is: 'at most', demand: 2 },
      },
      { what: `${title}: events lost`, unit: 'events', measured: gaps, is: 'at most', demand: 0 },
      {
        what: `${title}: streams left open upstream`,
        unit: 'streams',
        measured: left,
        is: 'at most',
        demand: 0,
      },
    ];
  });
};

const tableOf = (results: readonly Result[]): string =>
  tableText(
    [
      '',
      'events/s',
      'CPU µs/event',
      'first p50 ms',
      'p99',
      'event p50 ms',
      'p99',
      'RSS MB',
      'lost',
      'left open',
    ],
    results.map((one) => [
      one.title,
      fixed(one.eventsPerSecond, 0),
      one.id === 'direct' ? '' : fixed(one.cpu, 1),
      fixed(one.firstP50Ms, 2),
      fixed(one.firstP99Ms, 2),
      fixed(one.delayP50Ms, 2),
      fixed(one.delayP99Ms, 2),
      one.id === 'direct' ? '' : fixed(one.rssMb, 0),
      `${one.gaps}`,
      `${one.leftOpen}`,
    ]),
  );

const main = async (): Promise<void> => {
  const options = readOptions();
  await using world = await World.start(startStreamer);
  const results: Result[] = [];
  for (const way of await startWays(world)) {
    say(`${options.clients} streams, ${way.title}`);
    results.push(await measureWay(way, options, world.upstreamPort));
  }
  const figures = figuresOf(results);
  process.stdout.write(`${options.clients} streams\n${tableOf(results)}\n\n${figuresText(figures)}\n`);
  saveJson('streams', { clients: options.clients, seconds: options.seconds, results, figures });
  if (options.isEnforced && !figures.every(isMet)) process.exitCode = 1;
};

await main();

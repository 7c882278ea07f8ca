/**
 * What an edge holds: `npm run bench -- memory`. One edge with 10,000 routes gets requests with 50,000 tokens, until
 * it has a verdict on each; then the same goes on for minutes, and its resident memory is written down each second.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { call } from '@sluice/testkit';
import { benchConfiguration, PATHS } from '../chain/configuration.ts';
import { findPrograms } from '../chain/programs.ts';
import { World } from '../chain/world.ts';
import { generatedConfig } from '../generated-config.ts';
import { rssMb } from '../measure/cpu.ts';
import { say } from '../measure/say.ts';
import { median } from '../measure/statistics.ts';
import { wrk } from '../measure/wrk.ts';
import { startUpstream } from '../peers/servers.ts';
import { type Figure, figuresText, isMet } from '../report/figures.ts';
import { memoryPage } from '../report/page.ts';
import { save, saveJson, surroundings } from '../report/save.ts';
import { fixed, tableText } from '../report/table.ts';

const USAGE = `npm run bench -- memory [flags]
  --quick       15 s instead of a minute
  --minutes N   how long the load goes on when everything is cached (default 1)
  --enforce     exit with 1 when a budget is not met`;
const ROOT = join(import.meta.dirname, '..', '..');
const ROUTES = 10_000;
const TOKENS = 50_000;
/** Room for the verdicts on all tokens, by the cache's own generous estimate; the default is for fewer people. */
const CACHE_BYTES = 256 * 1024 * 1024;
const CONNECTIONS = 64;
/** Each burst begins with the first token: long enough to get to the last. */
const BURST_SECONDS = 25;
/** Verdicts live for a minute: they must all be there before the first one goes. */
const FILLED_WITHIN_S = 55;
const SETTLE_MS = 2000;
const LIMIT_MB = 350;

const readOptions = () => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      quick: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      enforce: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes ?? (values.quick ? 0.25 : 1));
  if (!(minutes > 0)) throw new Error(`--minutes is '${values.minutes}': give a number above 0\n${USAGE}`);
  return { minutes, isEnforced: values.enforce };
};

interface Declarative {
  readonly issuers: readonly object[];
  readonly [kind: string]: unknown;
}

/** The chains of the bench beside many generated routes; tokens may be signed with ES256, which is quick. */
const configuration = (upstreamPort: number): string => {
  const bench = JSON.parse(benchConfiguration(ROOT, upstreamPort)) as Declarative;
  const { document } = generatedConfig(ROUTES, { host: '127.0.0.1', port: upstreamPort });
  const merged = Object.entries(document).map(([kind, entities]) => {
    const ours = bench[kind];
    return [kind, [...(Array.isArray(ours) ? ours : []), ...entities]];
  });
  const issuers = bench.issuers.map((issuer) => ({ ...issuer, algorithms: ['ES256'] }));
  return JSON.stringify({ ...bench, ...Object.fromEntries(merged), issuers });
};

const ENTRIES = /^sluice_verdict_cache_entries(?:\{[^}]*\})? (\d+)/m;
const cachedVerdicts = async (statusPort: number): Promise<number> => {
  const { text } = await call(`http://127.0.0.1:${statusPort}`, '/metrics');
  return Number(ENTRIES.exec(text)?.[1] ?? 0);
};

interface Edge {
  readonly port: number;
  readonly statusPort: number;
  readonly pid: number;
}

const startEdge = async (world: World): Promise<Edge> => {
  const settings = { VERDICT_CACHE_BYTES: `${CACHE_BYTES}` };
  const { port, statusPorts, children } = await world.addEdges({ name: 'memory', count: 1, settings });
  const [statusPort, child] = [statusPorts[0], children[0]];
  if (statusPort === undefined || child === undefined) throw new Error('no edge was started');
  return { port, statusPort, pid: child.pid };
};

/** Bursts go on for so long, or until `isEnough`; each second `look` is called. */
const loadFor = async (
  { port }: Edge,
  world: World,
  maxSeconds: number,
  isEnough: () => boolean,
  look: (seconds: number) => Promise<void> | void,
): Promise<{ requests: number; failures: number }> => {
  const begun = performance.now();
  const elapsed = () => (performance.now() - begun) / 1000;
  const load = { connections: CONNECTIONS, path: `${PATHS.full}/abc`, script: world.many.script };
  const total = { requests: 0, failures: 0 };
  const looking = (async () => {
    while (elapsed() < maxSeconds && !isEnough()) {
      await sleep(1000);
      await look(elapsed());
    }
  })();
  while (elapsed() < maxSeconds && !isEnough()) {
    const left = Math.max(1, Math.ceil(maxSeconds - elapsed()));
    const { requests, failures } = await wrk(port, load, Math.min(BURST_SECONDS, left));
    total.requests += requests;
    total.failures += failures;
    world.emptyLogs();
  }
  await looking;
  return total;
};

/** Each generated route is used once: what the edge makes only then is made. */
const useRoutes = async ({ port }: Edge): Promise<void> => {
  const { pathOf } = generatedConfig(ROUTES, { host: '', port: 0 });
  const atOnce = 32;
  for (let from = 0; from < ROUTES; from += 10 * atOnce)
    await Promise.all(
      Array.from({ length: atOnce }, (_, n) => call(`http://127.0.0.1:${port}`, pathOf(from + 10 * n))),
    );
};

const measureAll = async (world: World, minutes: number) => {
  const edge = await startEdge(world);
  await world.load();
  await sleep(SETTLE_MS);
  const idleMb = rssMb(edge.pid);
  say(`idle: ${fixed(idleMb, 0)} MB`);
  await world.load(configuration(world.upstreamPort));
  await useRoutes(edge);
  await sleep(SETTLE_MS);
  const routesMb = rssMb(edge.pid);
  say(`${ROUTES} routes: ${fixed(routesMb, 0)} MB`);
  let entries = 0;
  const isFull = () => entries >= TOKENS;
  const filling = await loadFor(edge, world, FILLED_WITHIN_S, isFull, async () => {
    entries = Math.max(entries, await cachedVerdicts(edge.statusPort));
  });
  const tokensMb = rssMb(edge.pid);
  say(`${entries} verdicts: ${fixed(tokensMb, 0)} MB; soaking for ${minutes} minutes`);
  const points: { x: number; y: number }[] = [];
  const soak = await loadFor(
    edge,
    world,
    minutes * 60,
    () => false,
    (seconds) => void points.push({ x: Math.round(seconds), y: Math.round(rssMb(edge.pid) * 10) / 10 }),
  );
  return {
    idleMb,
    routesMb,
    tokensMb,
    entries,
    points,
    requests: soak.requests,
    failures: filling.failures + soak.failures,
  };
};
type Result = Awaited<ReturnType<typeof measureAll>>;

const half = (points: Result['points'], which: 0 | 1): number => {
  const middle = Math.floor(points.length / 2);
  return median((which === 0 ? points.slice(0, middle) : points.slice(middle)).map(({ y }) => y));
};

const figuresOf = ({ idleMb, tokensMb, entries, points }: Result): Figure[] => {
  const most = Math.max(tokensMb, ...points.map(({ y }) => y));
  return [
    { what: 'an edge, idle', unit: 'MB', measured: idleMb, is: 'at most', demand: 180 },
    {
      ...{ what: `${ROUTES} routes and ${TOKENS} tokens, the most`, unit: 'MB', measured: most },
      ...{ is: 'at most', demand: LIMIT_MB },
    },
    { what: 'verdicts held', unit: 'verdicts', measured: entries, is: 'at least', demand: TOKENS },
  ];
};

const main = async (): Promise<void> => {
  const { minutes, isEnforced } = readOptions();
  const { nginx } = findPrograms();
  const start = (folder: string) => startUpstream(nginx, folder);
  await using world = await World.start(start, { algorithm: 'ES256', many: TOKENS });
  const result = await measureAll(world, minutes);
  const figures = figuresOf(result);
  const growth = half(result.points, 1) - half(result.points, 0);
  const table = tableText(
    ['resident memory of one edge', 'MB'],
    [
      ['idle', fixed(result.idleMb, 0)],
      [`with ${ROUTES} routes`, fixed(result.routesMb, 0)],
      [`and ${result.entries} verdicts`, fixed(result.tokensMb, 0)],
      [
        `soak of ${minutes} minutes, ${result.requests} requests, ${result.failures} failed: median of the first half`,
        fixed(half(result.points, 0), 0),
      ],
      ['median of the second half', fixed(half(result.points, 1), 0)],
    ],
  );
  process.stdout.write(`${table}\n\n${figuresText(figures)}\n`);
  const on = surroundings();
  saveJson('memory', { minutes, ...result, growthMb: growth, figures });
  save('memory.html', memoryPage(on, { points: result.points, limitMb: LIMIT_MB, figures }));
  if (isEnforced && !figures.every(isMet)) process.exitCode = 1;
};

await main();

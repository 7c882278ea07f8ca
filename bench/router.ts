/**
 * Cost of the edge's router: `node bench/router.ts`. Per look-up the median of 7 rounds; paths are fresh
 * strings as from the socket, spread over all routes; every third route has its own host.
 */
import { type MatchRequest, normalisePath, parseHost, Router } from '@sluice/routing';
import { routeOf } from '../libs/routing/test/routes.ts';

type Route = Parameters<Router<number>['upsert']>[0];

const LOOK_UPS = 100_000;
const ROUNDS = 7;
const SAMPLES = 8192;

const plainRoute = (n: number): Route =>
  routeOf(n, {
    paths: [`/v1/t${n}/workflows`, `/v1/t${n}/agents`],
    methods: ['GET', 'POST'],
    hosts: n % 3 === 0 ? [`h${n}.example.com`] : null,
  });

const regexRoute = (n: number, regexes: 'own prefix' | 'one prefix'): Route =>
  routeOf(1_000_000 + n, {
    paths: [regexes === 'own prefix' ? `~/v2/x${n}/(?<id>[^/]+)/items$` : `~/v3/(?<id>[0-9]+)/kind-${n}$`],
    methods: ['GET'],
    regex_priority: n,
  });

const nothing = (): undefined => undefined;
const requestOf = (host: string, path: string): MatchRequest => ({
  method: 'GET',
  host,
  port: 8000,
  path,
  headers: nothing,
  scheme: 'http',
});

/** Nanoseconds of CPU per call, all threads: what else runs on the machine is not counted. */
const time = (call: (i: number) => unknown): number => {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < LOOK_UPS; i++) call(i);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / LOOK_UPS;
  });
  return Math.round(rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN);
};

/** A copy of the text's bytes: no hash or internal form is shared with the routes. */
const fresh = (text: string): string => Buffer.from(text).toString('latin1');

const build = (plain: number, regexes: number) => {
  const router = new Router<number>();
  const routes = Array.from({ length: plain }, (_, n) => plainRoute(n));
  const start = performance.now();
  for (const [n, route] of routes.entries()) router.upsert(route, n);
  for (let n = 0; n < regexes; n++) router.upsert(regexRoute(n, 'own prefix'), n);
  return { router, buildMs: performance.now() - start };
};

const measure = (routes: number, regexes: number) => {
  const plain = routes - regexes;
  const { router, buildMs } = build(plain, regexes);
  const targets = Array.from({ length: SAMPLES }, (_, k) => {
    const n = (k * 7919) % plain;
    const host = n % 3 === 0 ? `h${n}.example.com` : 'api.example.com';
    return { host: fresh(host), target: fresh(`/v1/t${n}/agents/42/runs?limit=10`) };
  });
  const hits = targets.map(({ host, target }) => requestOf(host, normalisePath(target)?.path ?? ''));
  const missed = hits.map((_, k) => requestOf('zz.example.com', fresh(`/nope/${k}`)));
  const sample = (list: readonly MatchRequest[], i: number) =>
    router.match(list[i % SAMPLES] as MatchRequest);
  if (hits.some((request) => router.match(request) === undefined)) throw new Error('a hit was missed');
  if (missed.some((request) => router.match(request) !== undefined)) throw new Error('a miss was hit');
  const whole = (i: number) => {
    const { host, target } = targets[i % SAMPLES] as { host: string; target: string };
    return router.match(requestOf(parseHost(host)?.host ?? '', normalisePath(target)?.path ?? ''));
  };
  const changing = plainRoute(plain >> 1);
  return {
    routes,
    'of them regex': regexes,
    'hit ns': time((i) => sample(hits, i)),
    'miss ns': time((i) => sample(missed, i)),
    'regex hit ns':
      regexes === 0 ? '-' : time((i) => router.match(requestOf('a.b', `/v2/x${i % regexes}/9/items`))),
    'host, target, hit ns': time(whole),
    'change ns': time(() => router.upsert(changing, 1)),
    'build ms': Number(buildMs.toFixed(1)),
  };
};

const oneBucket = () => {
  const { router } = build(10_000, 0);
  for (let n = 0; n < 200; n++) router.upsert(regexRoute(n, 'one prefix'), n);
  const last = requestOf('a.b', '/v3/77/kind-0');
  const beside = requestOf('a.b', '/v1/t5000/agents/1');
  return {
    '200 regexes of one literal prefix': '',
    'last of them ns': time(() => router.match(last)),
    'path beside them ns': time(() => router.match(beside)),
  };
};

const rows = [
  [10, 0],
  [1000, 0],
  [1000, 20],
  [10_000, 0],
  [10_000, 20],
  [10_000, 200],
] as const;
for (const [routes, regexes] of rows) process.stdout.write(`${JSON.stringify(measure(routes, regexes))}\n`);
process.stdout.write(`${JSON.stringify(oneBucket())}\n`);

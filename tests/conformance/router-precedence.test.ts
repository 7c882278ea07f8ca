import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeNamed, takenBy } from './routes.ts';
import { type Document, World } from './world.ts';

interface Pair {
  readonly rule: string;
  readonly stronger: Document;
  readonly weaker: Document;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly vector?: number;
}

/** Both routes of a pair match its request; no other pair does. */
const PAIRS: readonly Pair[] = [
  {
    rule: 'two kinds beat one, be it a plain host',
    stronger: { methods: ['GET'], paths: ['/p1-'] },
    weaker: { hosts: ['p1.test'] },
    path: '/p1-',
    headers: { host: 'p1.test' },
    vector: 11,
  },
  {
    rule: 'with one kind each a plain host beats the longest path',
    stronger: { hosts: ['a.com'] },
    weaker: { paths: ['/very/long/path'] },
    path: '/very/long/path/indeed',
    headers: { host: 'a.com' },
    vector: 11,
  },
  {
    rule: 'host and path beat the path alone, longer as it is',
    stronger: { hosts: ['p2.com'], paths: ['/p2'] },
    weaker: { paths: ['/p2/very/long/path'] },
    path: '/p2/very/long/path',
    headers: { host: 'p2.com' },
    vector: 11,
  },
  {
    rule: 'a path beats a wildcard host with nothing else to tell them apart',
    stronger: { paths: ['/p3'] },
    weaker: { hosts: ['*.p3.test'] },
    path: '/p3',
    headers: { host: 'a.p3.test' },
  },
  {
    rule: 'a plain host beats a wildcard',
    stronger: { hosts: ['a.p4.test'] },
    weaker: { hosts: ['*.p4.test'] },
    headers: { host: 'a.p4.test' },
  },
  {
    rule: 'only plain hosts beat a list with a wildcard in it',
    stronger: { hosts: ['p5.test'] },
    weaker: { hosts: ['p5.test', '*.p5.test'] },
    headers: { host: 'p5.test' },
  },
  {
    rule: 'a plain host beats any number of headers',
    stronger: { hosts: ['p6.test'] },
    weaker: { headers: { 'x-p6': ['1'], 'y-p6': ['1'] } },
    headers: { host: 'p6.test', 'x-p6': '1', 'y-p6': '1' },
  },
  {
    rule: 'more header names beat fewer',
    stronger: { headers: { 'x-p7': ['1'], 'y-p7': ['1'] } },
    weaker: { headers: { 'x-p7': ['1'] } },
    headers: { 'x-p7': '1', 'y-p7': '1' },
  },
  {
    rule: 'a header beats a regex path whatever its regex_priority',
    stronger: { headers: { 'x-p8': ['1'] } },
    weaker: { paths: ['~/p8'], regex_priority: 9 },
    path: '/p8',
    headers: { 'x-p8': '1' },
  },
  {
    rule: 'a regex path beats a plain one, longer as it is',
    stronger: { paths: ['~/p9'] },
    weaker: { paths: ['/p9/very/long/path'] },
    path: '/p9/very/long/path',
  },
  {
    rule: 'a higher regex_priority beats a lower one, longer as it is',
    stronger: { paths: ['~/p10'], regex_priority: 1 },
    weaker: { paths: ['~/p10/very/long/path'] },
    path: '/p10-/very/long/path',
  },
  {
    rule: 'a longer prefix beats a shorter one',
    stronger: { paths: ['/p11/longer'] },
    weaker: { paths: ['/p11'] },
    path: '/p11/longer/x',
  },
  {
    rule: 'the paths of a route are ranked one by one',
    stronger: { paths: ['/p12/x'] },
    weaker: { paths: ['/p12', '/p12/x/longest'] },
    path: '/p12/x/y',
  },
  {
    rule: 'regex and plain paths of a route are ranked one by one',
    stronger: { paths: ['/p13/longer'] },
    weaker: { paths: ['~/p13/\\d', '/p13'] },
    path: '/p13/longer',
  },
  {
    rule: 'methods and headers beat one long prefix',
    stronger: { methods: ['GET'], headers: { 'x-p14': ['1'] } },
    weaker: { paths: ['/p14/very/long'] },
    path: '/p14/very/long',
    headers: { 'x-p14': '1' },
  },
];

/** All names of a pair; the weaker route has the larger id, so that no tie is what decides. */
const idOf = (n: number): string => `00000000-0000-4000-8000-${`${n}`.padStart(12, '0')}`;

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const pairs = PAIRS.flatMap(({ stronger, weaker }, at) => [
    routeNamed(world, `stronger${at}`, { ...stronger, id: idOf(at) }),
    routeNamed(world, `weaker${at}`, { ...weaker, id: idOf(1000 + at) }),
  ]);
  const tied = [3, 1, 2].map((id) =>
    routeNamed(world, `tied${id}`, { paths: ['/tied'], id: idOf(2000 + id) }),
  );
  await world.load({ services: [...pairs, ...tied] });
});
afterAll(() => world[Symbol.asyncDispose]());

test.each(PAIRS.map((pair, at) => ({ vector: undefined, ...pair, at })))(
  'given two routes that match, then $rule (vector: $vector)',
  async ({ path = '/', headers = {}, at }) => {
    expect(await takenBy(world, path, { headers })).toBe(`stronger${at}`);
  },
);

test('given two routes that match, when the stronger one is alone in missing something, then the weaker', async () => {
  for (const [at, pair] of PAIRS.entries()) {
    if (pair.headers === undefined || pair.stronger.hosts === undefined || pair.weaker.hosts !== undefined)
      continue;
    const headers = { ...pair.headers, host: 'nobody.test' };
    expect(await takenBy(world, pair.path ?? '/', { headers })).toBe(`weaker${at}`);
  }
});

test('given a tie, then the larger id wins', async () => {
  expect(await takenBy(world, '/tied')).toBe('tied3');
});

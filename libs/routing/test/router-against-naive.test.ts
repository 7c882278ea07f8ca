import type { Route } from '@sluice/gateway-config';
import { expect, test } from 'vitest';
import { type MatchRequest, Router } from '../src/router.ts';
import { naiveMatch } from './naive-router.ts';
import { requestOf, routeOf } from './routes.ts';

const SEED = 20_261_103;

/** mulberry32: the same numbers on every machine. */
const randomOf = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

const SEGMENTS = ['a', 'ab', 'abc', 'b', 'b1', '12', '7', 'x-y', 'é', ''];
const REGEXES = ['~/\\d+', '~/a/\\w+', '~/a(b|bc)', '~/ab?/[a-z]+', '~/(?<n>[^/]+)/b', '~/.*/12$', '~/a|/b'];
const HOSTS = [
  'a.test',
  'b.a.test',
  '*.test',
  '*.a.test',
  'a.*',
  'b.a.*',
  'a.test:80',
  '*.test:81',
  'c.a.test',
];
const METHODS = ['GET', 'POST', 'PUT', 'PURGE', 'LOCK'];
const VALUES = ['v1', 'V2', '~*^v\\d$', '~*x|y'];

const generators = (random: (below: number) => number) => {
  const pick = <E>(list: readonly E[]): E => list[random(list.length)] as E;
  const some = <E>(make: () => E): E[] => [...new Set(Array.from({ length: 1 + random(3) }, make))];
  const maybe = <E>(chance: number, make: () => E): E | null => (random(100) < chance ? make() : null);
  const path = () =>
    `/${Array.from({ length: random(4) }, () => pick(SEGMENTS)).join('/')}`.replaceAll('//', '/');
  const headers = () =>
    Object.fromEntries(some(() => pick(['x-a', 'X-B'])).map((name) => [name, some(() => pick(VALUES))]));
  const route = (n: number): Route => {
    const paths = maybe(85, () => some(() => (random(4) === 0 ? pick(REGEXES) : path())));
    return routeOf(n, {
      hosts: maybe(50, () => some(() => pick(HOSTS))),
      methods: maybe(35, () => some(() => pick(METHODS))),
      headers: maybe(20, headers),
      snis: maybe(10, () => [pick(['s.test', 't.test'])]),
      paths,
      regex_priority: random(3) - 1,
    });
  };
  const request = (): MatchRequest =>
    requestOf({
      method: pick([...METHODS, 'DELETE']),
      host: pick(['a.test', 'b.a.test', 'c.test', 'x.b.a.test', 'a.example', 'b.a.org', 'none', '']),
      port: pick([80, 81, 8000]),
      path: path() + pick(['', '', '/', '/12', 'c']),
      scheme: pick(['http', 'https']),
      sni: pick(['s.test', undefined]),
      sent: random(2) === 0 ? {} : { 'x-a': [pick(['v1', 'V2', 'y'])], 'x-b': ['no', pick(['v2', 'X'])] },
    });
  return { route, request, random };
};

test(`given routes that come, change and go, then look-ups answer as a linear scan (seed ${SEED})`, () => {
  const { route, request, random } = generators(randomOf(SEED));
  const router = new Router<string>();
  const routes = new Map<string, Route>();
  let hits = 0;
  for (let step = 0; step < 1500; step++) {
    const next = route(random(120));
    if (random(3) === 0) {
      router.remove(next.id);
      routes.delete(next.id);
    } else {
      router.upsert(next, next.id);
      routes.set(next.id, next);
    }
    for (let k = 0; k < 3; k++) {
      const asked = request();
      const found = router.match(asked);
      const expected = naiveMatch(routes.values(), asked);
      const answer = found && { id: found.value, matchedPath: found.matchedPath };
      expect(answer, `step ${step}: ${JSON.stringify(asked)}`).toEqual(expected);
      if (found !== undefined) hits += 1;
    }
  }
  expect(hits).toBeGreaterThan(2000);
  expect(router.size).toBe(routes.size);
});

test(`given routes that are removed, then the index is as if they never were (seed ${SEED})`, () => {
  const { route, random } = generators(randomOf(SEED + 1));
  const lasting = Array.from({ length: 60 }, (_, n) => route(n));
  const passing = Array.from({ length: 300 }, (_, n) => route(1000 + n));
  const untouched = new Router<string>();
  for (const each of lasting) untouched.upsert(each, each.id);
  const router = new Router<string>();
  for (const each of [...lasting, ...passing].sort(() => random(2) - 0.5)) router.upsert(each, each.id);
  for (const each of passing.sort(() => random(2) - 0.5)) router.remove(each.id);
  expect(router.census()).toEqual(untouched.census());
  for (const each of lasting) router.remove(each.id);
  expect(router.census()).toEqual({ routes: 0, hosts: 0, nodes: 0 });
});

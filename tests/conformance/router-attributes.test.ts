import { afterAll, beforeAll, expect, test } from 'vitest';
import { routesNamed, takenBy } from './routes.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
  await world.load(
    routesNamed(world, {
      get: { methods: ['GET'], paths: ['/method'] },
      write: { methods: ['POST', 'PUT', 'PATCH'], paths: ['/method'] },
      purge: { methods: ['PURGE'], paths: ['/method'] },
      only: { methods: ['OPTIONS'] },
      every: { paths: ['/every'] },
      value: { headers: { 'X-Colour': ['red', 'Green'] } },
      pattern: { headers: { 'x-agent': ['~*^(chrome|safari)/\\d+', 'exact agent'] } },
      several: { headers: { 'x-one': ['1'], 'x-two': ['2'] }, paths: ['/several'] },
      under: { headers: { under_score: ['yes'] } },
      all: {
        methods: ['POST'],
        hosts: ['all.test'],
        paths: ['/all'],
        headers: { 'x-all': ['1'] },
      },
      http: { protocols: ['http'], paths: ['/http-only'] },
      both: { protocols: ['http', 'https'], paths: ['/both'] },
      sni: { protocols: ['http', 'https'], snis: ['sni.test'], paths: ['/sni'] },
    }),
  );
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  { method: 'GET', path: '/method', route: 'get' },
  { method: 'POST', path: '/method', route: 'write' },
  { method: 'PATCH', path: '/method', route: 'write' },
  { method: 'PURGE', path: '/method', route: 'purge' },
  { method: 'DELETE', path: '/method', route: 404 },
  { method: 'OPTIONS', path: '/anything', route: 'only' },
  { method: 'DELETE', path: '/every', route: 'every' },
  { method: 'LINK', path: '/every', route: 'every' },
])('given methods, when asked $method $path, then $route', async ({ method, path, route }) => {
  expect(await takenBy(world, path, { method })).toBe(route);
});

test('given a route for GET, when asked HEAD, then it is not for it', async () => {
  expect((await world.ask('/method', { method: 'HEAD' })).status).toBe(404);
  expect((await world.ask('/every', { method: 'HEAD' })).status).toBe(200);
});

test.each([
  { headers: { 'x-colour': 'red' }, route: 'value' },
  { headers: { 'X-COLOUR': 'RED' }, route: 'value' },
  { headers: { 'x-colour': 'green' }, route: 'value' },
  { headers: { 'x-colour': ['blue', 'green'] }, route: 'value' },
  { headers: { 'x-colour': 'dark red' }, route: 404 },
  { headers: { 'x-colour': 'blue' }, route: 404 },
  { headers: { 'x-agent': 'Chrome/120 on Linux' }, route: 'pattern' },
  { headers: { 'x-agent': 'SAFARI/17' }, route: 'pattern' },
  { headers: { 'x-agent': 'Exact Agent' }, route: 'pattern' },
  { headers: { 'x-agent': 'not chrome/120' }, route: 404 },
  { headers: { 'x-agent': ['curl/8', 'chrome/1'] }, route: 'pattern' },
  { headers: { under_score: 'yes' }, route: 'under' },
  { headers: { 'under-score': 'yes' }, route: 404 },
  { headers: {}, route: 404 },
])('given header conditions, when asked with $headers, then $route', async ({ headers, route }) => {
  expect(await takenBy(world, '/', { headers: headers as Record<string, string | string[]> })).toBe(route);
});

test.each([
  { headers: { 'x-one': '1', 'x-two': '2' }, route: 'several' },
  { headers: { 'x-one': '1' }, route: 404 },
  { headers: { 'x-one': '1', 'x-two': '3' }, route: 404 },
])('given two header conditions, when asked with $headers, then $route', async ({ headers, route }) => {
  expect(await takenBy(world, '/several', { headers: headers as Record<string, string> })).toBe(route);
});

test.each([
  { wrong: 'nothing', method: 'POST', path: '/all/x', host: 'all.test', value: '1', route: 'all' },
  { wrong: 'method', method: 'PUT', path: '/all/x', host: 'all.test', value: '1', route: 404 },
  { wrong: 'path', method: 'POST', path: '/al', host: 'all.test', value: '1', route: 404 },
  { wrong: 'host', method: 'POST', path: '/all/x', host: 'other.test', value: '1', route: 404 },
  { wrong: 'header', method: 'POST', path: '/all/x', host: 'all.test', value: '2', route: 404 },
])('given a route with four attributes, when $wrong is wrong, then $route', async (row) => {
  const headers = { host: row.host, 'x-all': row.value };
  expect(await takenBy(world, row.path, { method: row.method, headers })).toBe(row.route);
});

test.each([
  { path: '/http-only', route: 'http' },
  { path: '/both', route: 'both' },
  { path: '/sni', route: 'sni' },
])(
  'given protocols and snis, when asked for $path over http, then they do not matter',
  async ({ path, route }) => {
    expect(await takenBy(world, path)).toBe(route);
  },
);

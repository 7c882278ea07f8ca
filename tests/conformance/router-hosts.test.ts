import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchangeRaw } from './raw.ts';
import { routesNamed, takenBy } from './routes.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const listening = new URL(world.gateway.ready.proxy).port;
  await world.load(
    routesNamed(world, {
      plain: { hosts: ['plain.test'] },
      list: { hosts: ['one.test', 'two.test'] },
      upper: { hosts: ['Upper.Test'] },
      left: { hosts: ['*.left.test'] },
      right: { hosts: ['right.*'] },
      port: { hosts: ['port.test:321'] },
      // Both match a request for port 321 and have one priority: the larger id wins.
      portless: { id: '00000000-0000-4000-8000-000000000001', hosts: ['both.test'] },
      ported: { id: '00000000-0000-4000-8000-000000000002', hosts: ['both.test:321'] },
      wildport: { hosts: ['*.wildport.test:321'] },
      listening: { hosts: [`listening.test:${listening}`] },
      address: { hosts: ['192.0.2.1'] },
      address6: { hosts: ['[::1]:321'] },
      without: { paths: ['/without'] },
    }),
  );
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  { host: 'plain.test', route: 'plain' },
  { host: 'plain.test:8000', route: 'plain' },
  { host: 'PLAIN.test', route: 'plain' },
  { host: 'plain.test.', route: 'plain' },
  { host: 'xplain.test', route: 404 },
  { host: 'plain.test.org', route: 404 },
  { host: 'sub.plain.test', route: 404 },
  { host: 'one.test', route: 'list' },
  { host: 'two.test', route: 'list' },
  { host: 'upper.test', route: 'upper' },
  { host: 'Upper.Test', route: 'upper' },
  { host: 'a.left.test', route: 'left' },
  { host: 'a.b.left.test', route: 'left' },
  { host: 'a.left.test:81', route: 'left' },
  { host: 'left.test', route: 404 },
  { host: 'aleft.test', route: 404 },
  { host: 'a.left.test.org', route: 404 },
  { host: 'right.org', route: 'right' },
  { host: 'right.co.uk', route: 'right' },
  { host: 'right.org:81', route: 'right' },
  { host: 'wrong.right.org', route: 404 },
  { host: 'rightmost.org', route: 404 },
  { host: 'port.test:321', route: 'port' },
  { host: 'port.test:322', route: 404 },
  { host: 'port.test', route: 404 },
  { host: 'both.test:321', route: 'ported' },
  { host: 'both.test:322', route: 'portless' },
  { host: 'both.test', route: 'portless' },
  { host: 'a.wildport.test:321', route: 'wildport' },
  { host: 'a.wildport.test:322', route: 404 },
  { host: 'listening.test', route: 'listening' },
  { host: 'listening.test:321', route: 404 },
  { host: '192.0.2.1', route: 'address' },
  { host: '192.0.2.1:8000', route: 'address' },
  { host: '192.0.2.10', route: 404 },
  { host: '[::1]:321', route: 'address6' },
  { host: '[::1]:322', route: 404 },
])('given hosts, when asked with Host $host, then $route', async ({ host, route }) => {
  expect(await takenBy(world, '/', { headers: { host } })).toBe(route);
});

test('given a route without hosts, then every Host is taken, and HTTP/1.0 without one', async () => {
  expect(await takenBy(world, '/without', { headers: { host: 'whatever.test' } })).toBe('without');
  const answer = await exchangeRaw(world.gateway.ready.proxy, 'GET /without HTTP/1.0\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(await exchangeRaw(world.gateway.ready.proxy, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 404 /);
});

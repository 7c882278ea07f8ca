import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ TRUSTED_IPS: '127.0.0.0/8', REAL_IP_HEADER: 'X-Forwarded-For' });
  await world.load({
    services: [
      world.service('strip', [{ paths: ['/strip'] }]),
      world.service('secure', [{ paths: ['/secure'], protocols: ['https'] }]),
      world.service('moved', [{ paths: ['/moved'], protocols: ['https'], https_redirect_status_code: 301 }]),
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  { sent: {}, header: 'x-forwarded-for', seen: '127.0.0.1' },
  {
    sent: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2' },
    header: 'x-forwarded-for',
    seen: '1.1.1.1, 2.2.2.2, 127.0.0.1',
  },
  { sent: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2' }, header: 'x-real-ip', seen: '2.2.2.2' },
  { sent: { 'x-forwarded-for': 'nonsense' }, header: 'x-real-ip', seen: '127.0.0.1' },
  { sent: {}, header: 'x-real-ip', seen: '127.0.0.1' },
  { sent: { 'x-forwarded-proto': 'https' }, header: 'x-forwarded-proto', seen: 'https' },
  { sent: { 'x-forwarded-host': 'Front.Test' }, header: 'x-forwarded-host', seen: 'Front.Test' },
  { sent: { 'x-forwarded-port': '8443' }, header: 'x-forwarded-port', seen: '8443' },
  { sent: { 'x-forwarded-path': '/front' }, header: 'x-forwarded-path', seen: '/front' },
  { sent: { 'x-forwarded-prefix': '/front' }, header: 'x-forwarded-prefix', seen: '/front' },
  { sent: {}, header: 'x-forwarded-proto', seen: 'http' },
  { sent: {}, header: 'x-forwarded-host', seen: 'h.test' },
  { sent: {}, header: 'x-forwarded-path', seen: '/strip/x' },
  { sent: {}, header: 'x-forwarded-prefix', seen: '/strip' },
])('given $sent from a trusted peer, then $header is $seen', async ({ sent, header, seen }) => {
  const headers = { host: 'h.test', ...sent } as Record<string, string>;
  const { seen: request } = await world.through('/strip/x', { headers });
  expect(request.headers[header]).toBe(seen);
});

test('given an https-only route, when a trusted peer says https, then the request passes', async () => {
  const headers = { 'x-forwarded-proto': 'https' };
  expect((await world.ask('/secure', { headers })).status).toBe(200);
  expect((await world.ask('/secure')).status).toBe(426);
});

test('given a redirect to https behind a trusted peer, then it names the host that the peer was asked for', async () => {
  const headers = { host: 'inner.test', 'x-forwarded-host': 'front.test' };
  const answer = await world.ask('/moved/x?y=1', { headers });
  expect(answer).toMatchObject({ status: 301, headers: { location: 'https://front.test/moved/x?y=1' } });
});

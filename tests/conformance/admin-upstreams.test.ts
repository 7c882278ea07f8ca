import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UUID, UUID_PATTERN, useAdmin } from './admin-cases.ts';
import { EchoUpstream } from './echo-upstream.ts';
import type { Document } from './world.ts';

/* Health of upstreams as the edges see it and as they are told (kong-compat 2.3, 5.4). Two edges share the port. */

const { world, answered, load, send } = useAdmin({}, ['--edges', '2']);
let one: EchoUpstream;
let other: EchoUpstream;
beforeAll(async () => {
  [one, other] = await Promise.all([EchoUpstream.start('one'), EchoUpstream.start('other')]);
});
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const CHECKED = { passive: { unhealthy: { http_failures: 2, http_statuses: [500] } } };
const pool = (healthchecks: Document, targets?: readonly Document[]) =>
  load({
    upstreams: [
      {
        name: 'pool',
        healthchecks,
        targets: targets ?? [
          { target: `127.0.0.1:${one.port}` },
          { target: `127.0.0.1:${other.port}`, weight: 50 },
        ],
      },
    ],
    services: [{ name: 'up', host: 'pool', retries: 0, routes: [{ name: 'r', paths: ['/'] }] }],
  });

interface Health {
  readonly data: {
    readonly target: string;
    readonly health: string;
    readonly data: { readonly addresses: readonly { readonly health: string }[] };
  }[];
}
const healthOf = async (): Promise<Record<string, string>> => {
  const { data } = (await send('GET', '/upstreams/pool/health')).json<Health>();
  return Object.fromEntries(data.map(({ target, health }) => [target, health]));
};
const balancer = async () => (await answered('GET', '/upstreams/pool/health?balancer_health=1')).body;
/** Which upstreams answer, over many requests. */
const answering = async (): Promise<(string | string[] | undefined)[]> => {
  const answers = await Promise.all(Array.from({ length: 16 }, () => world().ask('/')));
  return [...new Set(answers.map(({ headers }) => headers['x-upstream']))].sort();
};

test('GET health has every target with its addresses, and the node that tells', async () => {
  await pool(CHECKED);
  const { status, body } = await answered('GET', '/upstreams/pool/health');
  expect(status).toBe(200);
  expect(body).toMatchObject({ next: null, node_id: expect.stringMatching(UUID_PATTERN) });
  const found = (body as unknown as Health).data.find(({ target }) => target.endsWith(`:${other.port}`));
  expect(found).toEqual({
    id: expect.stringMatching(UUID_PATTERN),
    target: `127.0.0.1:${other.port}`,
    weight: 50,
    upstream: { id: expect.stringMatching(UUID_PATTERN) },
    created_at: expect.any(Number),
    updated_at: expect.any(Number),
    tags: null,
    health: 'HEALTHY',
    data: {
      host: '127.0.0.1',
      port: other.port,
      dns: 'A',
      nodeWeight: 50,
      weight: { total: 50, available: 50, unavailable: 0 },
      addresses: [{ ip: '127.0.0.1', port: other.port, weight: 50, health: 'HEALTHY' }],
    },
  });
});

test('without checks the health is HEALTHCHECKS_OFF, and nothing can be set', async () => {
  await pool({});
  expect(new Set(Object.values(await healthOf()))).toEqual(new Set(['HEALTHCHECKS_OFF']));
  expect(await balancer()).toMatchObject({
    data: { health: 'HEALTHCHECKS_OFF', balancer_health: 'HEALTHCHECKS_OFF', details: { healthy: true } },
  });
  for (const health of ['healthy', 'unhealthy'])
    expect(await answered('PUT', `/upstreams/pool/targets/127.0.0.1:${one.port}/${health}`)).toEqual({
      status: 400,
      body: { message: 'no healthchecker found for pool' },
    });
});

test('a target set unhealthy gets nothing from any edge until it is set healthy', async () => {
  await pool(CHECKED);
  const at = `127.0.0.1:${one.port}`;

  const out = await send('PUT', `/upstreams/pool/targets/${at}/unhealthy`);

  expect(out).toMatchObject({ status: 204, text: '', headers: { 'x-sluice-acknowledged': '2/2' } });
  expect(await healthOf()).toEqual({ [at]: 'UNHEALTHY', [`127.0.0.1:${other.port}`]: 'HEALTHY' });
  expect(await answering()).toEqual(['other']);
  expect(await balancer()).toMatchObject({
    data: {
      health: 'HEALTHY',
      balancer_health: 'HEALTHY',
      id: expect.stringMatching(UUID_PATTERN),
      details: {
        healthy: true,
        weight: { total: 150, available: 50, unavailable: 100 },
        hosts: expect.arrayContaining([expect.objectContaining({ port: one.port, nodeWeight: 100 })]),
      },
    },
    next: null,
  });

  expect((await send('PUT', `/upstreams/pool/targets/${at}/healthy`)).status).toBe(204);

  expect((await healthOf())[at]).toBe('HEALTHY');
  expect(await answering()).toEqual(['one', 'other']);
});

test('a target is named by its id too, and one address of it alone', async () => {
  await pool(CHECKED);
  const at = `127.0.0.1:${one.port}`;
  const { data } = (await send('GET', '/upstreams/pool/targets')).json<{
    data: { id: string; target: string }[];
  }>();
  const id = data.find(({ target }) => target === at)?.id ?? '';
  expect((await send('PUT', `/upstreams/pool/targets/${id}/${at}/unhealthy`)).status).toBe(204);
  expect((await healthOf())[at]).toBe('UNHEALTHY');
  expect((await send('PUT', `/upstreams/pool/targets/${id}/healthy`)).status).toBe(204);
  expect((await healthOf())[at]).toBe('HEALTHY');
});

test.each([
  { path: 'none/targets/127.0.0.1:1/healthy', status: 404, message: 'Not found' },
  { path: 'pool/targets/127.0.0.1:1/healthy', status: 404, message: 'Not found' },
  { path: `pool/targets/${UUID}/unhealthy`, status: 404, message: 'Not found' },
  {
    path: 'pool/targets/10.9.9.9:80/nonsense/healthy',
    status: 400,
    message: "'nonsense' is no address of a target: write ip:port, an IPv6 address in brackets",
  },
  {
    path: 'pool/targets/10.9.9.9:80/10.9.9.8:80/healthy',
    status: 400,
    message: "no edge knows an address '10.9.9.8:80' of the target '10.9.9.9:80'",
  },
])('PUT /upstreams/$path is $status', async ({ path, status, message }) => {
  await pool(CHECKED, [{ target: '10.9.9.9:80' }]);
  expect(await answered('PUT', `/upstreams/${path}`)).toEqual({ status, body: { message } });
});

test.each(['/upstreams/none/health', `/upstreams/${UUID}/health`])('GET %s is 404', async (path) => {
  expect(await answered('GET', path)).toEqual({ status: 404, body: { message: 'Not found' } });
});

test('what one edge found out by its own traffic is told: the worst of all edges', async () => {
  await pool(CHECKED, [{ target: `127.0.0.1:${one.port}` }]);
  one.answerWith('bad', { status: 500 });
  const at = `127.0.0.1:${one.port}`;
  // On one connection, and so through one edge only.
  await eventually(async () => {
    await world().ask('/?script=bad');
    expect((await healthOf())[at]).toBe('UNHEALTHY');
  });
  expect(await balancer()).toMatchObject({ data: { health: 'UNHEALTHY', details: { healthy: false } } });
  expect((await send('PUT', `/upstreams/pool/targets/${at}/healthy`)).status).toBe(204);
  expect((await healthOf())[at]).toBe('HEALTHY');
});

test('the threshold decides whether what is left is enough', async () => {
  await pool({ ...CHECKED, threshold: 50 });
  expect((await send('PUT', `/upstreams/pool/targets/127.0.0.1:${one.port}/unhealthy`)).status).toBe(204);
  expect(await balancer()).toMatchObject({
    data: { health: 'UNHEALTHY', details: { healthy: false, weight: { total: 150, available: 50 } } },
  });
  expect((await world().ask('/')).status).toBe(503);
});

test('a name without an address is DNS_ERROR, and a weight of 0 is no error', async () => {
  await pool(CHECKED, [
    { target: 'nowhere.invalid:80' },
    { target: `127.0.0.1:${one.port}`, weight: 0 },
    { target: `127.0.0.1:${other.port}` },
  ]);
  await eventually(async () =>
    expect(await healthOf()).toEqual({
      'nowhere.invalid:80': 'DNS_ERROR',
      [`127.0.0.1:${one.port}`]: 'HEALTHY',
      [`127.0.0.1:${other.port}`]: 'HEALTHY',
    }),
  );
});

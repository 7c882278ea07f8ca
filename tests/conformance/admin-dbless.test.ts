import { expect, test } from 'vitest';
import { UUID, useAdmin } from './admin-cases.ts';

/* ADMIN_WRITES=false: Kong without a database, where whole configurations are the only writes (kong-compat 5.3). */

const { answered, load, list, send } = useAdmin({ ADMIN_WRITES: 'false' });

const given = () =>
  load({
    services: [{ name: 'orders', host: 'orders.test', routes: [{ name: 'r', paths: ['/r'] }] }],
    consumers: [{ username: 'ann' }],
    upstreams: [
      {
        name: 'pool',
        healthchecks: { passive: { unhealthy: { http_failures: 1 } } },
        targets: [{ target: '127.0.0.1:1' }],
      },
    ],
  });

const unsupported = (message: string) => ({ code: 12, name: 'operation unsupported', message });

test.each([
  {
    method: 'POST',
    path: '/services',
    body: { host: 'h.test' },
    message: "cannot create 'services' entities when not using a database",
  },
  {
    method: 'POST',
    path: '/routes',
    body: { paths: ['/x'] },
    message: "cannot create 'routes' entities when not using a database",
  },
  {
    method: 'PUT',
    path: `/routes/${UUID}`,
    body: { paths: ['/x'] },
    message: "cannot create or update 'routes' entities when not using a database",
  },
  {
    method: 'PUT',
    path: '/routes/new',
    body: { paths: ['/x'] },
    message: "cannot create or update 'routes' entities by 'name' when not using a database",
  },
  {
    method: 'PATCH',
    path: '/services/orders',
    body: { retries: 1 },
    message: "cannot update 'services' entities by 'name' when not using a database",
  },
  {
    method: 'DELETE',
    path: '/consumers/ann',
    body: undefined,
    message: "cannot remove 'consumers' entities by 'username' when not using a database",
  },
])('35: $method $path is 405 "$message"', async ({ method, path, body, message }) => {
  await given();
  expect(await answered(method, path, body)).toEqual({ status: 405, body: unsupported(message) });
});

test.each([
  { method: 'POST', path: '/services', body: {}, status: 400, expected: { code: 2 } },
  { method: 'PATCH', path: `/services/${UUID}`, body: {}, status: 404, expected: { code: 6 } },
  { method: 'DELETE', path: '/services/none', body: undefined, status: 204, expected: undefined },
  { method: 'DELETE', path: `/services/${UUID}`, body: undefined, status: 204, expected: undefined },
  { method: 'PUT', path: '/services/a%20b', body: { host: 'h' }, status: 400, expected: { code: 10 } },
  {
    method: 'PUT',
    path: '/debug/node/log-level/debug',
    body: undefined,
    status: 405,
    expected: { message: 'cannot change log level when not using a database' },
  },
])(
  '35: $method $path is $status: what is wrong comes first',
  async ({ method, path, body, status, expected }) => {
    await given();
    const answer = await answered(method, path, body);
    expect(answer.status).toBe(status);
    if (expected === undefined) expect(answer.body).toBeUndefined();
    else expect(answer.body).toMatchObject(expected);
  },
);

test('reads, validation, targets’ health and POST /config work', async () => {
  await given();
  expect(await list('/services')).toMatchObject([{ name: 'orders' }]);
  expect((await answered('GET', '/')).body).toMatchObject({ configuration: { database: 'off' } });
  const status = (await answered('GET', '/status')).body;
  expect(status).not.toHaveProperty('database');
  expect(status?.configuration_hash).toMatch(/^[0-9a-f]{32}$/);
  expect((await answered('POST', '/schemas/services/validate', { host: 'h.test' })).status).toBe(200);
  expect((await send('PUT', '/upstreams/pool/targets/127.0.0.1:1/unhealthy')).status).toBe(204);
});

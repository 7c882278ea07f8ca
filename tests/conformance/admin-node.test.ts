import https from 'node:https';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { UUID_PATTERN, useAdmin } from './admin-cases.ts';

/* What a node says about itself, its caches and its log (kong-compat 5.4), by TLS too, and on the status port. */

const { world, answered, send, load, made } = useAdmin({ ADMIN_TLS_PORT: '0', TLS_PORT: '0' }, [
  '--edges',
  '2',
]);

test('GET / describes the node', async () => {
  await load({ plugins: [{ name: 'cors' }, { name: 'prometheus' }] });
  const { body } = await answered('GET', '/');
  expect(body).toMatchObject({
    tagline: expect.stringMatching(/^Welcome to /),
    version: expect.stringMatching(/^3\.9\.\d+$/),
    edition: 'community',
    lua_version: expect.any(String),
    hostname: expect.stringMatching(/./),
    node_id: expect.stringMatching(UUID_PATTERN),
    timers: { running: expect.any(Number), pending: expect.any(Number) },
    pids: { master: expect.any(Number), workers: [expect.any(Number)] },
    plugins: { available_on_server: { jwt: { version: expect.any(String), priority: 1450 } } },
    configuration: { router_flavor: 'traditional_compatible' },
  });
  expect((body as { plugins: { enabled_in_cluster: string[] } }).plugins.enabled_in_cluster.sort()).toEqual([
    'cors',
    'prometheus',
  ]);
  expect((body as { configuration: { database: string } }).configuration.database).not.toBe('off');
});

const connections = Object.fromEntries(
  ['accepted', 'active', 'handled', 'reading', 'writing', 'waiting'].map((name) => [
    `connections_${name}`,
    expect.any(Number),
  ]),
);
const statusWith = (memory: unknown) => ({
  memory: {
    lua_shared_dicts: { kong: { capacity: memory, allocated_slabs: memory } },
    workers_lua_vms: [{ pid: expect.any(Number), http_allocated_gc: memory }],
  },
  server: { ...connections, total_requests: expect.any(Number) },
  database: { reachable: true },
  configuration_hash: expect.stringMatching(/^[0-9a-f]{32}$/),
});

test.each([
  { query: '', memory: /^\d+\.\d\d MiB$/ },
  { query: '?unit=k&scale=0', memory: /^\d+ KiB$/ },
  { query: '?unit=G&scale=4', memory: /^\d\.\d{4} GiB$/ },
])('GET /status$query tells connections, memory and the configuration’s hash', async ({ query, memory }) => {
  const { status, body } = await answered('GET', `/status${query}`);
  expect(status).toBe(200);
  expect(body).toMatchObject(statusWith(expect.stringMatching(memory)));
});

test('GET /status: bytes are numbers, another unit is refused, the hash follows the configuration', async () => {
  expect((await answered('GET', '/status?unit=b')).body).toMatchObject(statusWith(expect.any(Number)));
  expect(await answered('GET', '/status?unit=V')).toEqual({
    status: 400,
    body: { message: "invalid unit 'V' (expected 'k/K', 'm/M', or 'g/G')" },
  });
  const hash = async () => (await answered('GET', '/status')).body?.configuration_hash;
  await load({});
  expect(await hash()).toBe('0'.repeat(32));
  await load({ consumers: [{ username: 'x' }] });
  expect(await hash()).not.toBe('0'.repeat(32));
});

test('GET /plugins/enabled, /endpoints and /metrics', async () => {
  const enabled = (await answered('GET', '/plugins/enabled')).body as { enabled_plugins: string[] };
  expect(enabled.enabled_plugins).toEqual(
    expect.arrayContaining(['jwt', 'key-auth', 'rate-limiting', 'cors']),
  );
  const { data } = (await answered('GET', '/endpoints')).body as { data: string[] };
  expect(data).toEqual(
    expect.arrayContaining([
      '/',
      '/acls',
      '/acls/{acls}',
      '/cache/{key}',
      '/config',
      '/consumers/{consumers}/acls/{acls}',
      '/debug/node/log-level/{log_level}',
      '/proxy-cache/{plugin_id}/caches/{cache_key}',
      '/services/{services}/routes',
      '/upstreams/{upstreams}/health',
      '/upstreams/{upstreams}/targets/{targets}/{address}/healthy',
    ]),
  );
  expect(data).toEqual(data.toSorted());
  const metrics = await send('GET', '/metrics');
  expect(metrics.headers['content-type']).toMatch(/^text\/plain/);
  expect(metrics.text).toContain('kong_datastore_reachable');
});

test.each([
  { path: '/timers', status: 200, body: { worker: { id: 0, count: 1 }, stats: expect.any(Object) } },
  { path: '/status/dns', status: 501, body: { message: 'not implemented with the legacy DNS client' } },
  ...['data-planes', 'status'].map((name) => ({
    path: `/clustering/${name}`,
    status: 400,
    body: {
      message:
        'this endpoint is only available when Kong is configured to run as Control Plane for the cluster',
    },
  })),
  ...['/filter-chains', '/filter-chains/x', '/services/x/filter-chains', '/routes/x/filter-chains/y'].map(
    (path) => ({
      path,
      status: 400,
      body: { message: 'this endpoint is only available when wasm is enabled' },
    }),
  ),
])('GET $path is $status', async ({ path, status, body }) => {
  expect(await answered('GET', path)).toEqual({ status, body });
});

test('the log level is told, set for this node or all, and an unknown one refused', async () => {
  const level = () => answered('GET', '/debug/node/log-level');
  const set = (scope: string, name: string) => answered('PUT', `/debug/${scope}/log-level/${name}`);
  expect((await level()).body).toEqual({ message: 'log level: info' });
  expect(await set('node', 'warn')).toEqual({ status: 200, body: { message: 'log level changed' } });
  expect(await set('node', 'warn')).toEqual({ status: 200, body: { message: 'log level is already warn' } });
  expect((await level()).body).toEqual({ message: 'log level: warn' });
  expect(await set('cluster', 'notice')).toEqual({ status: 200, body: { message: 'log level changed' } });
  expect((await level()).body).toEqual({ message: 'log level: notice' });
  expect(await set('node', 'loud')).toEqual({ status: 400, body: { message: 'unknown log level: loud' } });
});

/** Two edges share the port; each keeps what it answered. The key of an answer that one has by now. */
const keptAnswer = async (path: string): Promise<string> => {
  const first = await world().ask(path);
  expect(first.status).toBe(200);
  return String(first.headers['x-cache-key']);
};

test('answers of proxy-cache are read and forgotten by key, wherever they are kept', async () => {
  await load({ services: [world().service('up', [{ name: 'cached', paths: ['/cached'] }])] });
  const plugin = await made('/routes/cached/plugins', {
    name: 'proxy-cache',
    config: { strategy: 'memory' },
  });
  const other = await made('/plugins', { name: 'cors' });
  const key = await keptAnswer('/cached/a');
  const cached = (await answered('GET', `/proxy-cache/${key}`)).body;
  expect(cached).toMatchObject({
    status: 200,
    headers: { 'X-Upstream': 'echo' },
    body: expect.stringContaining('"url":"/a"'),
    body_len: expect.any(Number),
    timestamp: expect.any(Number),
    ttl: 300,
  });
  expect((await answered('GET', `/proxy-cache/${plugin.id}/caches/${key}`)).body).toEqual(cached);
  expect((await answered('GET', `/cache/${key}`)).body).toEqual(cached);
  expect(await answered('GET', `/proxy-cache/${other.id}/caches/${key}`)).toMatchObject({ status: 404 });

  expect(await send('DELETE', `/proxy-cache/${key}`)).toMatchObject({ status: 204, text: '' });

  for (const method of ['GET', 'DELETE'])
    for (const path of [`/proxy-cache/${key}`, `/proxy-cache/${plugin.id}/caches/${key}`])
      expect(await answered(method, path)).toEqual({ status: 404, body: { message: 'Not found' } });
  expect(await answered('GET', `/cache/${key}`)).toEqual({ status: 404, body: { message: 'Not found' } });
  expect((await answered('DELETE', `/cache/${key}`)).status).toBe(204);
});

test.each(['/proxy-cache', '/cache'])('DELETE %s empties the cache of every edge', async (path) => {
  await load({
    services: [world().service('up', [{ name: 'cached', paths: ['/cached'] }])],
    plugins: [{ name: 'proxy-cache', config: { strategy: 'memory' } }],
  });
  const key = await keptAnswer('/cached/b');
  // Asked until each edge has met the path, so that none would miss it for another reason.
  await eventually(async () => {
    const statuses = await Promise.all(Array.from({ length: 12 }, () => world().ask('/cached/b')));
    expect(statuses.every(({ headers }) => headers['x-cache-status'] === 'Hit')).toBe(true);
  });

  expect(await send('DELETE', path)).toMatchObject({ status: 204, text: '' });

  expect(await answered('GET', `/proxy-cache/${key}`)).toMatchObject({ status: 404 });
  expect((await world().ask('/cached/b')).headers['x-cache-status']).toBe('Miss');
});

const getByTls = (origin: string | undefined, path: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const request = https.get(`${origin}${path}`, { rejectUnauthorized: false, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.once('error', reject);
  });

test('both ports speak TLS, and say the same as without', async () => {
  await load({ services: [world().service('up', [{ name: 'r', paths: ['/r'] }])] });
  const { proxyTls, adminTls } = world().gateway.ready;
  expect([proxyTls, adminTls]).toEqual([
    expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
  ]);
  expect(await getByTls(adminTls, '/services/up')).toEqual({
    status: 200,
    text: (await send('GET', '/services/up')).text,
  });
  expect((await getByTls(proxyTls, '/r/x')).status).toBe(200);
});

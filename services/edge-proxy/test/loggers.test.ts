import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import http2 from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';
import { TLS, throughTo, tlsPort } from './tls-world.ts';

type Plugins = ReturnType<typeof plugin>[];
interface Line {
  request: { method: string; uri: string; url: string; headers: Record<string, string>; querystring: object };
  response: { status: number; headers: Record<string, string>; size: number };
  [field: string]: unknown;
}

const logged = async (upstream: Upstream, plugins: Plugins) => {
  const to = service('up', upstream.url);
  return EdgeWorld.start({ services: [to], routes: [route('all', to)], plugins });
};

/** The body of an answer over HTTP/2. */
const overHttp2 = async (port: number, path: string): Promise<string> => {
  const session = http2.connect(`https://localhost:${port}`, { rejectUnauthorized: false });
  let body = '';
  for await (const chunk of session.request({ ':path': path })) body += chunk;
  session.close();
  return body;
};

/** An HTTP server that keeps the bodies it was sent. */
const receiver = async (status: () => number = () => 200) => {
  const bodies: string[] = [];
  const upstream = await Upstream.start((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const code = status();
      if (code < 300) bodies.push(Buffer.concat(chunks).toString());
      response.writeHead(code).end();
    });
  });
  return { upstream, bodies };
};

test('given http-log, when requests pass, then each one’s record is Kong’s, without credentials', async () => {
  await using upstream = await Upstream.start();
  const { upstream: logs, bodies } = await receiver();
  await using _closing = logs;
  await using world = await logged(upstream, [
    plugin('http-log', { http_endpoint: logs.url.replace('//', '//user:pass@') }),
    plugin('correlation-id', { header_name: 'X-Request-Id', generator: 'uuid' }),
  ]);
  await call(world.port, '/a%20b?q=1&apikey=k-1&q=2', {
    method: 'POST',
    body: 'hello',
    headers: {
      Authorization: 'Bearer s-1',
      Cookie: 'session=s-2',
      'X-Api-Key': 's-3',
      'X-Request-Id': 'r-1',
    },
  });
  await eventually(() => bodies.length === 1);
  const line = JSON.parse(bodies[0] ?? '') as Line;
  expect(bodies[0]).not.toMatch(/s-1|s-2|s-3|k-1/);
  expect(line).toMatchObject({
    request: {
      method: 'POST',
      uri: '/a%20b?q=1&apikey=REDACTED&q=2',
      querystring: { q: ['1', '2'], apikey: 'REDACTED' },
      headers: { authorization: 'REDACTED', cookie: 'REDACTED', 'x-api-key': 'REDACTED' },
    },
    response: { status: 200, headers: { 'content-type': 'application/json' } },
    upstream_uri: '/a%20b?q=1&apikey=REDACTED&q=2',
    upstream_status: '200',
    route: { name: 'all' },
    service: { name: 'up' },
    client_ip: '127.0.0.1',
    source: 'upstream',
    workspace_name: 'default',
    correlation_id: 'r-1',
    tries: [{ ip: '127.0.0.1', port: upstream.port }],
  });
  expect(line.response.size).toBeGreaterThan(100);
  expect(logs.received[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: `Basic ${Buffer.from('user:pass').toString('base64')}`,
  });
});

test('given a refusal of the gateway itself, when it is logged, then nothing was proxied', async () => {
  await using upstream = await Upstream.start();
  const { upstream: logs, bodies } = await receiver();
  await using _closing = logs;
  await using world = await logged(upstream, [
    plugin('http-log', {
      http_endpoint: logs.url,
      custom_fields_by_lua: { service: 'return nil', x: 'return 1' },
    }),
    plugin('request-termination', { status_code: 403 }),
  ]);
  await call(world.port, '/');
  await eventually(() => bodies.length === 1);
  const line = JSON.parse(bodies[0] ?? '') as Line;
  expect(line).toMatchObject({
    response: { status: 403 },
    source: 'kong',
    upstream_status: '',
    upstream_uri: '',
    latencies: { proxy: -1 },
    tries: [],
    x: 1,
  });
  expect(line).not.toHaveProperty('service');
});

test('given a batch size, when the receiver refuses at first, then the batch is tried again as one list', async () => {
  await using upstream = await Upstream.start();
  const statuses = [500, 503];
  const { upstream: logs, bodies } = await receiver(() => statuses.shift() ?? 200);
  await using _closing = logs;
  const queue = { max_batch_size: 3, max_coalescing_delay: 5 };
  await using world = await logged(upstream, [plugin('http-log', { http_endpoint: logs.url, queue })]);
  for (const path of ['/1', '/2', '/3']) await call(world.port, path);
  await eventually(() => bodies.length === 1);
  expect((JSON.parse(bodies[0] ?? '') as Line[]).map(({ request }) => request.uri)).toEqual([
    '/1',
    '/2',
    '/3',
  ]);
  expect(logs.received).toHaveLength(3);
});

test('given a batch that is not full, when the edge stops, then it is sent before the edge is gone', async () => {
  await using upstream = await Upstream.start();
  const { upstream: logs, bodies } = await receiver();
  await using _closing = logs;
  const queue = { max_batch_size: 100, max_coalescing_delay: 3600 };
  {
    await using world = await logged(upstream, [plugin('http-log', { http_endpoint: logs.url, queue })]);
    await call(world.port, '/last');
    expect(bodies).toHaveLength(0);
  }
  expect(bodies).toHaveLength(1);
});

test('given file-log, when requests pass, then the file has a line for each and may be read by all', async () => {
  await using upstream = await Upstream.start();
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-log-')), 'requests.log');
  await using world = await logged(upstream, [plugin('file-log', { path })]);
  await call(world.port, '/1');
  await call(world.port, '/2');
  const lines = () =>
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  await eventually(() => expect(lines().map(({ request }) => request.uri)).toEqual(['/1', '/2']));
  expect(statSync(path).mode & 0o777).toBe(0o644);
});

test('given tcp-log, when the receiver goes and comes back, then lines go on over a new connection', async () => {
  await using upstream = await Upstream.start();
  let text = '';
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text.includes('/1')) socket.destroy();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const uris = () =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as Line).request.uri);
  {
    await using world = await logged(upstream, [plugin('tcp-log', { host: '127.0.0.1', port })]);
    await call(world.port, '/1');
    await eventually(() => expect(uris()).toContain('/1'));
    await eventually(async () => {
      await call(world.port, '/again');
      expect(uris()).toContain('/again');
    });
  }
  expect(connections).toBeGreaterThan(1);
  await new Promise((closed) => server.close(closed));
});

test('given udp-log, when a request passes, then a datagram with its record comes', async () => {
  await using upstream = await Upstream.start();
  const socket = createSocket('udp4');
  const datagrams: string[] = [];
  socket.on('message', (message) => datagrams.push(message.toString()));
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  await using world = await logged(upstream, [
    plugin('udp-log', { host: '127.0.0.1', port: socket.address().port }),
  ]);
  await call(world.port, '/datagram');
  await eventually(() => datagrams.length === 1);
  expect((JSON.parse(datagrams[0] ?? '') as Line).request.uri).toBe('/datagram');
  socket.close();
});

test('given HTTP/2, when a plugin changes the body and another logs, then both work as over HTTP/1.1', async () => {
  await using upstream = await Upstream.start();
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-log-')), 'requests.log');
  const plugins = [
    plugin('response-transformer', { remove: { json: ['headers', 'body'] } }),
    plugin('file-log', { path }),
  ];
  await using world = await EdgeWorld.start({ ...throughTo(upstream), plugins }, TLS);
  const text = await overHttp2(tlsPort(world), '/h2?jwt=s-1');
  expect(text).toBe('{"method":"GET","url":"/h2?jwt=s-1"}');
  await eventually(() => {
    const line = JSON.parse(readFileSync(path, 'utf8'));
    expect(line).toMatchObject({
      request: { uri: '/h2?jwt=REDACTED', tls: { version: 'TLSv1.3', client_verify: 'NONE' } },
      response: { status: 200 },
    });
  });
});

test('given vault references in http-log, then the edge reads them from its environment', async () => {
  await using upstream = await Upstream.start();
  const { upstream: logs, bodies } = await receiver();
  await using _closing = logs;
  const to = service('up', upstream.url);
  const config = {
    http_endpoint: '{vault://env/log-url}',
    headers: { 'X-Token': '{vault://env/log-token}' },
  };
  await using world = await EdgeWorld.start(
    { services: [to], routes: [route('all', to)], plugins: [plugin('http-log', config)] },
    { LOG_URL: logs.url, LOG_TOKEN: 't0p' },
  );
  await call(world.port, '/x');
  await eventually(() => bodies.length === 1);
  expect(logs.received[0]?.headers['x-token']).toBe('t0p');
});

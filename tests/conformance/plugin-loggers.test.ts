import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { issueCertificate } from '@sluice/service-kit';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EchoUpstream, type Seen } from './echo-upstream.ts';
import { routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

type LogRecord = Record<string, unknown> & { request: { uri: string; headers: Record<string, string> } };

let world: World;
let receiver: EchoUpstream;
let tcp: Server;
let secure: Server;
let udp: Datagrams;
const tcpText: string[] = [];
const tlsText: string[] = [];
const serverNames: unknown[] = [];
const udpText: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'sluice-logs-'));
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  [world, receiver] = await Promise.all([World.shared(), EchoUpstream.start('receiver')]);
  tcp = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => tcpText.push(chunk.toString()));
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  secure = createTlsServer(issueCertificate('logs.test'), (socket) => {
    serverNames.push(socket.servername);
    socket.on('data', (chunk: Buffer) => tlsText.push(chunk.toString()));
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  udp = createSocket('udp4').bind(0, '127.0.0.1');
  udp.on('message', (message) => udpText.push(message.toString()));
  await Promise.all([tcp, secure, udp].map((server) => once(server, 'listening')));
  const endpoint = `http://127.0.0.1:${receiver.port}`;
  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  const tcpPort = portOf(tcp);
  const http = (name: string, config: Document, more: readonly Document[] = []) => {
    const logger = { name: 'http-log', config: { http_endpoint: `${endpoint}/${name}`, ...config } };
    return routeWith(name, [logger, ...more]);
  };
  const fileRoute = (name: string, config: Document = {}) =>
    routeWith(name, [{ name: 'file-log', config: { path: file(name), ...config } }]);
  const line = (name: string, plugin: string, config: Document) =>
    routeWith(name, [{ name: plugin, config: { host: '127.0.0.1', ...config } }]);
  const lua = { a: 'return "x"', 'request.size': 'return nil', n: 'return 7' };
  const routes = [
    http('plain', {}),
    http('method', { method: 'PUT' }),
    http('type', { content_type: 'application/json; charset=utf-8' }),
    http('headers', { headers: { 'X-Token': 't', 'X-Other': 'o' } }),
    http('login', { http_endpoint: `http://user:pa%3Ass@127.0.0.1:${receiver.port}/login` }),
    http('batch', { queue: { max_batch_size: 2, max_coalescing_delay: 3600 } }),
    http('delay', { queue: { max_batch_size: 100, max_coalescing_delay: 0.1 } }),
    http('old-names', { queue_size: 2, flush_timeout: 3600 }),
    http('retry', { http_endpoint: `${endpoint}/retry?script=failing`, timeout: 1000, keepalive: 1000 }),
    http('slow', { http_endpoint: `${endpoint}/slow?script=slow`, timeout: 50 }),
    http('bounded', { queue: { max_batch_size: 9, max_coalescing_delay: 2, max_entries: 2 } }),
    http('lua', { custom_fields_by_lua: lua }),
    http('full', {}, [{ name: 'key-auth' }, { name: 'correlation-id', config: { generator: 'uuid' } }]),
    http('refused', {}, [{ name: 'request-termination', config: { status_code: 418 } }]),
    fileRoute('file'),
    fileRoute('file-lua', { custom_fields_by_lua: lua }),
    fileRoute('file-reopen', { reopen: true }),
    line('tcp', 'tcp-log', { port: tcpPort, timeout: 5000, keepalive: 1000 }),
    line('tls', 'tcp-log', { port: portOf(secure), tls: true, tls_sni: 'logs.test' }),
    line('tls-host', 'tcp-log', { host: 'localhost', port: portOf(secure), tls: true }),
    line('tcp-lua', 'tcp-log', { port: tcpPort, custom_fields_by_lua: lua }),
    line('udp', 'udp-log', { port: udp.address().port, timeout: 5000 }),
    line('udp-lua', 'udp-log', { port: udp.address().port, custom_fields_by_lua: lua }),
  ];
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'alices-key' }] }],
  });
});
afterAll(async () => {
  tcp.close();
  secure.close();
  udp.close();
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const deliveries = (name: string): Seen[] => receiver.seen.filter(({ url }) => url.startsWith(`/${name}`));
const firstDelivery = (name: string): Promise<Seen> =>
  eventually(() => {
    const [first] = deliveries(name);
    if (first === undefined) throw new Error(`nothing was sent to /${name}`);
    return first;
  });
const recordOf = async (name: string, path = `/${name}`, ask = {}): Promise<LogRecord> => {
  await world.ask(path, ask);
  return JSON.parse((await firstDelivery(name)).body) as LogRecord;
};

test('http-log: given a request, then one record of it comes as JSON', async () => {
  const record = await recordOf('plain', '/plain/x?a=1&a=2', { headers: { 'X-A': '1' } });
  const seen = await firstDelivery('plain');
  expect(seen).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  expect(record).toMatchObject({
    request: {
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      method: 'GET',
      uri: '/plain/x?a=1&a=2',
      url: `${world.gateway.ready.proxy}/plain/x?a=1&a=2`,
      querystring: { a: ['1', '2'] },
      headers: { 'x-a': '1' },
      size: expect.any(Number),
    },
    response: { status: 200, headers: { 'x-upstream': 'echo' }, size: expect.any(Number) },
    upstream_uri: '/x?a=1&a=2',
    upstream_status: '200',
    latencies: {
      kong: expect.any(Number),
      proxy: expect.any(Number),
      request: expect.any(Number),
      receive: expect.any(Number),
    },
    tries: [{ ip: '127.0.0.1', port: world.upstream.port, balancer_start: expect.any(Number) }],
    route: { name: 'plain', paths: ['/plain'], strip_path: true },
    service: { name: 'echo', host: '127.0.0.1', port: world.upstream.port },
    client_ip: '127.0.0.1',
    started_at: expect.any(Number),
    source: 'upstream',
    workspace: '0dc6f45b-8f8d-40d2-a504-473544ee190b',
    workspace_name: 'default',
  });
  expect(record.consumer).toBeUndefined();
  expect(record.correlation_id).toBeUndefined();
});

test('http-log: given a consumer and an id, then the record names them and no credential', async () => {
  const headers = { apikey: 'alices-key', authorization: 'Bearer x', 'kong-request-id': 'mine' };
  const record = await recordOf('full', '/full', { headers });
  expect(record).toMatchObject({
    consumer: { username: 'alice' },
    authenticated_entity: { id: expect.any(String), consumer_id: expect.any(String) },
    correlation_id: 'mine',
  });
  expect(record.request.headers).toMatchObject({ authorization: 'REDACTED', apikey: 'REDACTED' });
});

test("http-log: given the gateway's own answer, then the record says so", async () => {
  expect(await recordOf('refused')).toMatchObject({
    response: { status: 418 },
    source: 'kong',
    upstream_status: '',
    latencies: { proxy: -1 },
    tries: [],
  });
});

test.each<[field: string, name: string, wanted: Document]>([
  ['method', 'method', { method: 'PUT' }],
  ['content_type', 'type', { headers: { 'content-type': 'application/json; charset=utf-8' } }],
  ['headers', 'headers', { headers: { 'x-token': 't', 'x-other': 'o' } }],
  [
    'http_endpoint',
    'login',
    { headers: { authorization: `Basic ${Buffer.from('user:pa:ss').toString('base64')}` } },
  ],
])('http-log %s: given /%s, then the record is sent so', async (_field, name, wanted) => {
  await world.ask(`/${name}`);
  expect(await firstDelivery(name)).toMatchObject(wanted);
});

test.each([
  { field: 'queue.max_batch_size', name: 'batch' },
  { field: 'queue_size, flush_timeout', name: 'old-names' },
])('http-log $field: given 2, then two records come as one array', async ({ name }) => {
  await world.ask(`/${name}/1`);
  await world.ask(`/${name}/2`);
  const records = JSON.parse((await firstDelivery(name)).body) as LogRecord[];
  expect(records.map(({ request }) => request.uri)).toEqual([`/${name}/1`, `/${name}/2`]);
});

test('http-log queue.max_coalescing_delay: given a batch that does not fill, then it is sent after it', async () => {
  await world.ask('/delay');
  expect(JSON.parse((await firstDelivery('delay')).body)).toHaveLength(1);
});

test('http-log queue: given a receiver that answers 500, then the record is sent again until it is taken', async () => {
  receiver.answerWith('failing', { status: 500 });
  await world.ask('/retry');
  await eventually(() => deliveries('retry').length >= 2);
  receiver.answerWith('failing', { status: 200 });
  const [first, ...others] = deliveries('retry');
  for (const { body } of others) expect(body).toBe(first?.body);
});

test('http-log timeout: given a receiver that takes longer, then the record is sent again', async () => {
  receiver.answerWith('slow', { delayMs: 2000 });
  await world.ask('/slow');
  await eventually(() => deliveries('slow').length >= 2);
  receiver.answerWith('slow', {});
});

test('http-log queue.max_entries: given more records than may wait, then the oldest are dropped', async () => {
  for (const i of [1, 2, 3]) await world.ask(`/bounded/${i}`);
  const records = JSON.parse((await firstDelivery('bounded')).body) as LogRecord[];
  expect(records.map(({ request }) => request.uri)).toEqual(['/bounded/2', '/bounded/3']);
});

const expectLua = (record: LogRecord): void => {
  expect(record).toMatchObject({ a: 'x', n: 7 });
  expect(record.request).not.toHaveProperty('size');
};
test('http-log custom_fields_by_lua: constants are set and nil takes fields away', async () => {
  expectLua(await recordOf('lua'));
});

const linesOf = (text: string): LogRecord[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogRecord);
const received = {
  file: (name: string) => () => readFileSync(file(name), 'utf8'),
  tcp: () => tcpText.join(''),
  tls: () => tlsText.join(''),
  udp: () => udpText.join('\n'),
};

test.each([
  { field: 'file-log path', name: 'file', text: received.file('file') },
  { field: 'file-log reopen', name: 'file-reopen', text: received.file('file-reopen') },
  { field: 'tcp-log host, port, timeout, keepalive', name: 'tcp', text: received.tcp },
  { field: 'tcp-log tls', name: 'tls', text: received.tls },
  { field: 'udp-log host, port, timeout', name: 'udp', text: received.udp },
])('$field: given two requests, then a JSON line for each arrives', async ({ name, text }) => {
  await world.ask(`/${name}/1`);
  await world.ask(`/${name}/2`);
  await eventually(() => {
    const uris = linesOf(text()).map(({ request }) => request.uri);
    expect(uris.filter((uri) => uri.startsWith(`/${name}/`))).toEqual([`/${name}/1`, `/${name}/2`]);
  });
});

test.each([
  { name: 'file-lua', text: received.file('file-lua') },
  { name: 'tcp-lua', text: received.tcp },
  { name: 'udp-lua', text: received.udp },
])('/$name custom_fields_by_lua: constants are set and nil takes fields away', async ({ name, text }) => {
  await world.ask(`/${name}`);
  await eventually(() => {
    const record = linesOf(text()).find(({ request }) => request.uri === `/${name}`);
    expectLua(record as LogRecord);
  });
});

test('file-log path: the file can be read by all and written by its owner', async () => {
  await world.ask('/file');
  await eventually(() => expect(statSync(file('file')).mode & 0o777).toBe(0o644));
});

test.each([
  { given: 'logs.test', path: '/tls', name: 'logs.test' },
  { given: 'none', path: '/tls-host', name: 'localhost' },
])('tcp-log tls_sni: given $given, then the receiver is asked for $name', async ({ path, name }) => {
  await world.ask(path);
  await eventually(() => expect(serverNames).toContain(name));
});

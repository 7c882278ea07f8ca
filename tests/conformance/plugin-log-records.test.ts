import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

/* The record that every logger writes, field by field where plugin-loggers.test.ts says nothing (kong-compat 4.17). */

type LogRecord = Record<string, unknown> & {
  readonly request: Record<string, unknown> & { readonly size: number };
  readonly response: { readonly size: number };
  readonly latencies: Record<string, number>;
  readonly started_at: number;
};

const TRACE = '0af7651916cd43dd8448eb211c80319c';
let world: World;
let closed: number;
const folder = mkdtempSync(join(tmpdir(), 'sluice-records-'));
const file = join(folder, 'records');
beforeAll(async () => {
  [world, closed] = await Promise.all([World.start({}, ['--tls-port', '0']), freePort()]);
  const log = { name: 'file-log', config: { path: file } };
  const logged = (name: string, over: Document = {}, more: readonly Document[] = []) =>
    world.service(name, [routeWith(name, [log, ...more])], over);
  await world.load({
    services: [
      logged('plain', {}, [{ name: 'prometheus', config: { status_code_metrics: true } }]),
      logged('named', { host: 'localhost' }),
      logged('away', { port: closed }),
      logged('slow', { read_timeout: 50 }),
      logged('retried', { host: 'two.upstream', retries: 3 }),
      logged('traced', {}, [
        { name: 'opentelemetry', config: { traces_endpoint: `http://127.0.0.1:${closed}/v1/traces` } },
      ]),
      logged('bodies'),
    ],
    upstreams: [
      {
        name: 'two.upstream',
        algorithm: 'least-connections',
        targets: [
          { target: `127.0.0.1:${closed}`, weight: 1000 },
          { target: `127.0.0.1:${world.upstream.port}` },
        ],
      },
    ],
  });
  world.upstream.answerWith('late', { delayMs: 5000 });
  world.upstream.answerWith('sized', { body: 'x'.repeat(5000) });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const records = (): LogRecord[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogRecord);
/** The record of a request to a path that nothing else asks for. */
const recordOf = (uri: string): Promise<LogRecord> =>
  eventually(() => {
    const found = records().find(({ request }) => request.uri === uri);
    if (found === undefined) throw new Error(`no record of ${uri}`);
    return found;
  });
const made = async (uri: string, ask = {}): Promise<LogRecord> => {
  await world.ask(uri, ask);
  return recordOf(uri);
};
const overTls = (path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    https
      .get(`${world.gateway.ready.proxyTls}${path}`, { rejectUnauthorized: false, agent: false }, (answer) =>
        answer.resume().once('end', resolve),
      )
      .once('error', reject);
  });

test('request.tls: given TLS, then version and cipher are told; given none, then nothing', async () => {
  await overTls('/plain/tls');
  const { request } = await recordOf('/plain/tls');
  expect(request.tls).toEqual({
    version: 'TLSv1.3',
    cipher: expect.stringMatching(/^TLS_/),
    client_verify: 'NONE',
  });
  expect(request.url).toBe(`${world.gateway.ready.proxyTls}/plain/tls`);
  expect((await made('/plain/no-tls')).request).not.toHaveProperty('tls');
});

const tried = (port: number) => ({
  port,
  balancer_start: expect.any(Number),
  balancer_start_ns: expect.any(Number),
  balancer_latency: expect.any(Number),
  balancer_latency_ns: expect.any(Number),
});
const failed = (port: number, code: number) => ({
  ...tried(port),
  ip: '127.0.0.1',
  state: 'failed',
  code,
});

test('tries: given one that worked, then its address and when, and no state', async () => {
  const { port } = world.upstream;
  expect((await made('/plain/try')).tries).toEqual([{ ...tried(port), ip: '127.0.0.1' }]);
  expect((await made('/named/try')).tries).toEqual([
    { ...tried(port), ip: expect.stringMatching(/^(?:127\.0\.0\.1|::1)$/) },
  ]);
});

test.each([
  { given: 'a port where nobody listens', path: '/away/try', code: 502 },
  { given: 'an upstream that is too slow', path: '/slow/try?script=late', code: 504 },
])('tries: given $given, then each is failed with $code', async ({ path, code }) => {
  const record = await made(path);
  const port = path.startsWith('/away') ? closed : world.upstream.port;
  expect(record.tries).toEqual([failed(port, code)]);
  expect(record).toMatchObject({ response: { status: code }, source: 'kong' });
});

test('tries: given a target that refuses and one that serves, then both, in their order', async () => {
  expect((await made('/retried/try')).tries).toEqual([
    failed(closed, 502),
    { ...tried(world.upstream.port), ip: '127.0.0.1' },
  ]);
});

test('response.status: given a client that leaves before its answer, then 499, which /metrics counts', async () => {
  const before = world.upstream.seen.length;
  const { hostname, port } = new URL(world.gateway.ready.proxy);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write('GET /plain/left?script=late HTTP/1.1\r\nHost: h\r\n\r\n');
  await eventually(() => world.upstream.seen.length > before);
  socket.destroy();
  expect(await recordOf('/plain/left?script=late')).toMatchObject({
    response: { status: 499 },
    source: 'kong',
  });
  await eventually(async () => {
    const { text } = await world.admin('/metrics');
    expect(text).toMatch(
      /^kong_http_requests_total\{service="plain",route="plain",code="499",source="kong",/m,
    );
  });
});

test('trace_id: given opentelemetry and a caller’s trace, then that id, as W3C writes it', async () => {
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
  expect((await made('/traced/id', { headers })).trace_id).toMatchObject({ w3c: TRACE });
});

test('request.size, response.size: heads and bodies in bytes', async () => {
  const small = await made('/bodies/1?script=sized', { method: 'POST', body: 'x' });
  const large = await made('/bodies/2?script=sized', { method: 'POST', body: 'x'.repeat(3001) });
  // "content-length: 1" is three digits shorter.
  expect(large.request.size - small.request.size).toBe(3003);
  expect(small.response.size).toBeGreaterThan(5000);
  expect(small.response.size).toBeLessThan(6000);
});

test('latencies, started_at: milliseconds that add up', async () => {
  const before = Date.now();
  const { latencies, started_at: startedAt } = await made('/plain/times');
  expect(startedAt).toBeGreaterThanOrEqual(before);
  expect(startedAt).toBeLessThanOrEqual(Date.now());
  for (const name of ['kong', 'proxy', 'request', 'receive'])
    expect(Number.isInteger(latencies[name]), name).toBe(true);
  expect(latencies.request).toBeGreaterThanOrEqual(latencies.proxy ?? 0);
});

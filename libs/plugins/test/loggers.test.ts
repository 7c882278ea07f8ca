import { expect, test } from 'vitest';
import { fileLog } from '../src/file-log.ts';
import { httpLog } from '../src/http-log.ts';
import type { Plugin } from '../src/plugin.ts';
import { tcpLog } from '../src/tcp-log.ts';
import { udpLog } from '../src/udp-log.ts';
import { GLOBAL, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const record = { request: { method: 'GET', headers: { a: '1', b: '2' } }, route: { id: 'r' } };
const written = (plugin: Plugin, config: object) => {
  const ports = testPorts({ record });
  const logger = instance(plugin, config);
  logger.settle(testExchange(), ports);
  logger.settle(testExchange(), ports);
  return ports.written;
};
const endpoint = { http_endpoint: 'http://user:p%40ss@logs.test:9000/in?a=b' };

test('http-log keeps the login out of the address and sends it as Basic authorization', () => {
  const [first] = written(httpLog, { ...endpoint, headers: { 'X-Team': 'edge' } });
  expect(first).toMatchObject({
    sinkKey: GLOBAL.pluginId,
    record,
    sink: {
      kind: 'http',
      url: 'http://logs.test:9000/in?a=b',
      method: 'POST',
      timeoutMs: 10_000,
      headers: {
        Authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
        'Content-Type': 'application/json',
        'X-Team': 'edge',
      },
      queue: { maxBatchSize: 1, maxEntries: 10_000, maxRetryTime: 60, initialRetryDelay: 0.01 },
    },
  });
});

test('one instance has one sink: its records share a queue', () => {
  const [first, second] = written(httpLog, endpoint);
  expect(second?.sink).toBe(first?.sink);
});

test('http-log’s deprecated fields move into the queue', () => {
  const config = { ...endpoint, queue_size: 20, flush_timeout: 3, retry_count: 10 };
  expect(written(httpLog, config)[0]?.sink.queue).toMatchObject({ maxBatchSize: 20, maxCoalescingDelay: 3 });
  expect(httpLog.warnings?.(httpLog.config.parse(config), { environment: {} })).toHaveLength(3);
});

test.each([
  [{}, { http_endpoint: 'required field missing' }],
  [{ http_endpoint: 'logs.test' }, { http_endpoint: 'missing scheme in url' }],
  [{ ...endpoint, headers: { host: 'x' } }, { headers: "cannot contain 'Host' header" }],
  [{ ...endpoint, queue: { concurrency_limit: 2 } }, { 'queue.concurrency_limit': 'expected one of: 1, -1' }],
  [
    { ...endpoint, queue: { max_batch_size: 0 } },
    { 'queue.max_batch_size': expect.stringContaining('between') },
  ],
  [
    { ...endpoint, custom_fields_by_lua: { a: 'return os.time()' } },
    { 'custom_fields_by_lua.a': expect.stringContaining("write 'return nil'") },
  ],
])('http-log %j is refused', (config, problems) => {
  expect(problemsOf(httpLog, config)).toEqual(problems);
});

test('the other loggers say where and how', () => {
  expect(written(fileLog, { path: '/var/log/kong.log' })[0]?.sink).toMatchObject({
    kind: 'file',
    path: '/var/log/kong.log',
  });
  expect(written(udpLog, { host: 'h', port: 9 })[0]?.sink).toMatchObject({ kind: 'udp', host: 'h', port: 9 });
  const tls = { host: 'h', port: 9, tls: true, tls_sni: 'logs.test' };
  expect(written(tcpLog, tls)[0]?.sink).toMatchObject({ kind: 'tcp', tls: { serverName: 'logs.test' } });
  expect(written(tcpLog, { host: 'h', port: 9 })[0]?.sink).toMatchObject({ tls: null, keepAliveMs: 60_000 });
  expect(problemsOf(tcpLog, { host: 'h', port: 70_000 })).toEqual({
    port: 'value should be between 0 and 65535',
  });
});

test('custom fields set constants and take fields away; the record itself stays as it is', () => {
  const custom_fields_by_lua = {
    team: "return 'edge'",
    level: 'return 7',
    isNew: 'return true;',
    route: 'return nil',
    'request.headers.a': 'return nil',
    'request.size': 'return 12',
    'a\\.b': 'return "dot"',
  };
  const [first] = written(fileLog, { path: 'x', custom_fields_by_lua });
  expect(first?.record).toEqual({
    request: { method: 'GET', headers: { b: '2' }, size: 12 },
    team: 'edge',
    level: 7,
    isNew: true,
    'a.b': 'dot',
  });
  expect(record.request.headers).toEqual({ a: '1', b: '2' });
});

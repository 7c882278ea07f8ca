import { describe, expect, test } from 'vitest';
import { shadow } from '../src/shadow.ts';
import { type Given, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const URL = 'https://old.example/kong/';

/** What becomes of a request in the three phases. */
const passed = (given: Given, config: Record<string, unknown> = {}) => {
  const ports = testPorts();
  const exchange = testExchange(given);
  const plugin = instance(shadow, { url: URL, ...config });
  expect(plugin.access(exchange, ports)).toBeUndefined();
  plugin.response(exchange, ports);
  plugin.settle(exchange, ports);
  return ports;
};

test('a safe request is copied, watched and sent, each once', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS'])
    expect(passed({ method }).copies).toEqual(['opened', 'watched', 'sent']);
  expect(passed({}).terms[0]).toMatchObject({
    ...{ pluginId: 'p1', url: 'https://old.example/kong', forwardsCredentials: false, verifyTls: true },
    compare: { status: true, headers: ['content-type'], body: 'json', ignore: [['request_id']] },
  });
});

test.each<[string, Given, Record<string, unknown>, string]>([
  ['a method that writes', { method: 'POST' }, {}, 'method'],
  ['a copy of another gateway', { headers: { 'x-sluice-shadow': 'a' } }, { marker: 'X-Copy' }, 'copy'],
  ['a copy marked by another name', { headers: { 'X-Copy': 'a' } }, { marker: 'x-copy' }, 'copy'],
  ['an upgrade', { headers: { Upgrade: 'websocket' } }, {}, 'upgrade'],
])('%s is not copied, and counted once', (_, given, config, reason) => {
  expect(passed(given, config).copies).toEqual([reason]);
});

test('a stream of events is given up when its head is seen', () => {
  const answered = { 'Content-Type': 'text/event-stream; charset=utf-8' };
  expect(passed({ answered }).copies).toEqual(['opened', 'stream']);
});

test('a method that was asked for is copied', () => {
  expect(passed({ method: 'POST' }, { methods: ['POST'] }).copies).toContain('sent');
});

test('given a share, then the id of a request decides, in the same way each time', () => {
  const copied = (id: string, percent: number) => {
    const ports = testPorts();
    const plugin = instance(shadow, { url: URL, percent });
    expect(plugin.access({ ...testExchange(), id }, ports)).toBeUndefined();
    return ports.copies.length > 0;
  };
  expect(copied('00000000'.repeat(4), 0)).toBe(false);
  expect(copied('ffffffff'.repeat(4), 100)).toBe(true);
  expect(copied('7fffffff'.repeat(4), 50)).toBe(true);
  expect(copied('80000000'.repeat(4), 50)).toBe(false);
});

describe('configuration', () => {
  test.each<[Record<string, unknown>, Record<string, string>]>([
    [{}, { url: 'required field missing' }],
    [{ url: 'ftp://x' }, { url: 'missing scheme in url' }],
    [{ url: 'http://user:pass@x' }, { url: 'must not hold a login; copies are sent as the client was' }],
    [{ url: 'http://x/?a=1' }, { url: 'must end with its path; the query is the one of each request' }],
    [{ url: URL, percent: 101 }, { percent: 'value should be between 0 and 100' }],
    [
      { url: URL, methods: ['TRACE'] },
      { 'methods.0': 'expected one of: GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE' },
    ],
    [{ url: URL, marker: 'Host' }, { marker: "cannot be 'Host'; name a header of your own" }],
    [
      { url: URL, compare: { headers: ['a b'] } },
      { 'compare.headers.0': expect.stringContaining('bad header') },
    ],
  ])('%j is refused with its field and reason', (config, problems) => {
    expect(problemsOf(shadow, config)).toEqual(problems);
  });

  const warned = (config: Record<string, unknown>) =>
    shadow.warnings?.(shadow.config.parse({ url: URL, ...config }) as never, { environment: {} });

  test('what writes twice, and credentials in the open, are warned of', () => {
    expect(warned({})).toEqual([]);
    expect(warned({ methods: ['GET', 'POST', 'DELETE'] })).toEqual([
      'copies of POST, DELETE write twice where both gateways have the same upstreams',
    ]);
    expect(warned({ forward_credentials: true })).toEqual([]);
    expect(warned({ forward_credentials: true, url: 'http://127.0.0.1:9000' })).toEqual([]);
    expect(warned({ forward_credentials: true, url: 'http://old.example' })).toHaveLength(1);
  });
});

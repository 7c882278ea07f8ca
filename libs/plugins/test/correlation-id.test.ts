import { expect, test } from 'vitest';
import { correlationId, requestId } from '../src/correlation-id.ts';
import { testExchange, testPorts, UUID } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const ECHOED = { header_name: 'X-Request-Id', generator: 'uuid', echo_downstream: true };

test.each([
  ['no id', {}, UUID],
  ['an id', { 'x-request-id': 'abc' }, 'abc'],
  ['an empty id', { 'x-request-id': '' }, UUID],
  ['a blank id', { 'x-request-id': '   ' }, UUID],
  ['an id of 256 characters', { 'x-request-id': 'a'.repeat(256) }, 'a'.repeat(256)],
  ['an id of 257 characters', { 'x-request-id': 'a'.repeat(257) }, UUID],
])('given the client sent %s, when it is echoed, then both sides see the same id', (_, headers, id) => {
  const exchange = testExchange({ headers });
  const plugin = instance(correlationId, ECHOED);
  void plugin.access(exchange);
  plugin.response(exchange);
  expect(exchange.toUpstream.getAll('X-Request-Id')).toEqual([id]);
  expect(exchange.toClient.getAll('X-Request-Id')).toEqual([id]);
});

test('by default the id goes upstream as Kong-Request-ID, counted, and is not echoed', () => {
  const plugin = instance(correlationId);
  const ids = [testExchange(), testExchange()].map((exchange) => {
    void plugin.access(exchange);
    plugin.response(exchange);
    expect([...exchange.toClient.entries()]).toEqual([]);
    return exchange.toUpstream.get('Kong-Request-ID');
  });
  expect(ids).toEqual([`${UUID}#1`, `${UUID}#2`]);
});

test('the tracker is made of addresses, counters and time', () => {
  const exchange = testExchange();
  void instance(correlationId, { generator: 'tracker' }).access(exchange);
  expect(exchange.toUpstream.get('Kong-Request-ID')).toBe(
    `192.0.2.1-50000-${process.pid}-7-3-1700000000.123`,
  );
});

test('given the request ended before the access phase, when it is answered, then it still gets an id', () => {
  const exchange = testExchange();
  instance(correlationId, ECHOED).response(exchange);
  expect(exchange.toClient.get('X-Request-Id')).toBe(UUID);
});

test('given both plugins on one header, when a request comes, then they share one id', () => {
  const exchange = testExchange();
  let made = 0;
  const ports = { ...testPorts(), uuid: () => `id-${++made}` };
  const plugins = [instance(requestId), instance(correlationId, ECHOED)];
  for (const plugin of plugins) void plugin.access(exchange, ports);
  for (const plugin of plugins) plugin.response(exchange, ports);
  expect(exchange.toUpstream.getAll('X-Request-Id')).toEqual(['id-1']);
  expect(exchange.toClient.getAll('X-Request-Id')).toEqual(['id-1']);
});

test('request-id has the original defaults', () => {
  expect(requestId.config.parse({})).toEqual(ECHOED);
});

test('an unknown generator is refused', () => {
  expect(problemsOf(correlationId, { generator: 'ulid' })).toEqual({
    generator: 'expected one of: uuid, uuid#counter, tracker',
  });
});

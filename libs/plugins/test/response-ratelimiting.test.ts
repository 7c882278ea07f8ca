import { expect, test } from 'vitest';
import { responseRateLimiting } from '../src/response-ratelimiting.ts';
import { type Given, seen, type TestPorts, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const limits = { videos: { minute: 3, hour: 10 }, images: { minute: 5 } };

/** One request whose answer costs what `cost` says. */
const pass = (config: object, cost: string | undefined, ports: TestPorts, given: Given = {}) => {
  const answered = { 'X-Kong-Limit': cost ?? '', 'content-type': 'text/plain' };
  const exchange = testExchange({ ...given, ...(cost === undefined ? {} : { answered }) });
  const plugin = instance(responseRateLimiting, config);
  const refusal = refusalOf(plugin.access(exchange, ports));
  if (refusal !== undefined) return { refusal, headers: {}, upstream: {} };
  exchange.upstream = { status: 200 };
  plugin.response(exchange, ports);
  const instead = refusalOf(plugin.inspect(exchange, ports));
  return { refusal: instead, headers: seen(exchange.toClient), upstream: seen(exchange.toUpstream) };
};

test('given limits, when answers cost, then both sides see what is left and the cost is taken away', () => {
  const ports = testPorts();
  const first = pass({ limits }, 'videos=2, images', ports);
  expect(first).toMatchObject({
    refusal: undefined,
    upstream: { 'x-ratelimit-remaining-videos': '3', 'x-ratelimit-remaining-images': '5' },
    headers: {
      'x-ratelimit-limit-videos-minute': '3',
      'x-ratelimit-remaining-videos-minute': '1',
      'x-ratelimit-remaining-videos-hour': '8',
      'x-ratelimit-remaining-images-minute': '4',
    },
  });
  expect(first.headers).not.toHaveProperty('x-kong-limit');
  expect(pass({ limits }, undefined, ports).upstream).toMatchObject({ 'x-ratelimit-remaining-videos': '1' });
});

test('given a limit that is used up, when an answer costs again, then 429 takes its place; a free one passes', () => {
  const ports = testPorts();
  pass({ limits }, 'videos=3', ports);
  expect(pass({ limits }, 'videos', ports).refusal).toMatchObject({ status: 429, body: null });
  expect(pass({ limits }, 'images', ports).refusal).toBeUndefined();
  const used = [...ports.units].filter(([key]) => key.includes('videos:minute')).map(([, units]) => units);
  expect(used).toEqual([3]); // the refused one is not counted
});

test('block_on_first_violation refuses before the upstream is called', () => {
  const ports = testPorts();
  const config = { limits, block_on_first_violation: true };
  pass(config, 'videos=3', ports);
  expect(pass(config, 'images', ports).refusal).toMatchObject({
    status: 429,
    body: { message: "API rate limit exceeded for 'videos'" },
  });
});

test('budgets are apart by consumer, by address without one, and hidden when asked', () => {
  const ports = testPorts();
  const consumer = (id: string) => ({ identity: { consumer: { id } } });
  pass({ limits }, 'videos=3', ports, consumer('c1'));
  expect(pass({ limits }, 'videos', ports, consumer('c1')).refusal).toMatchObject({ status: 429 });
  expect(pass({ limits }, 'videos', ports, consumer('c2')).refusal).toBeUndefined();
  expect(pass({ limits }, 'videos', ports, { clientIp: '192.0.2.9' }).refusal).toBeUndefined();
  const hidden = pass({ limits, hide_client_headers: true }, 'images', ports);
  expect(Object.keys(hidden.headers)).toEqual(['content-type']);
});

test('another header can say the cost; what is no number costs one', () => {
  const ports = testPorts();
  const plugin = instance(responseRateLimiting, { limits, header_name: 'x-cost' });
  const exchange = testExchange({ answered: { 'X-Cost': 'videos=many,unknown=3' } });
  void plugin.access(exchange, ports);
  exchange.upstream = { status: 200 };
  plugin.response(exchange, ports);
  expect(seen(exchange.toClient)).toMatchObject({ 'x-ratelimit-remaining-videos-minute': '2' });
});

test.each([
  [{}, { limits: 'required field missing' }],
  [{ limits: {} }, { limits: 'length must be at least 1' }],
  [{ limits: { a: {} } }, { 'limits.a': expect.stringContaining('at least one of these fields') }],
  [
    { limits: { a: { minute: 5, hour: 2 } } },
    { 'limits.a': 'The limit for hour cannot be lower than the limit for minute' },
  ],
  [{ limits: { 'a b': { minute: 5 } } }, { 'limits.a b': expect.stringContaining('part of a header') }],
])('%j is refused', (config, problems) => {
  expect(problemsOf(responseRateLimiting, config)).toEqual(problems);
});

test('a shared policy is told that it does not share', () => {
  const config = responseRateLimiting.config.parse({ limits, policy: 'redis', redis: { host: 'r' } });
  expect(responseRateLimiting.warnings?.(config, { environment: {} })).toHaveLength(1);
});

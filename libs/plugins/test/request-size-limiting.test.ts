import { expect, test } from 'vitest';
import { requestSizeLimiting } from '../src/request-size-limiting.ts';
import { type Given, testExchange } from './exchange.ts';
import { instance, refusalOf } from './run.ts';

const limited = async (config: object, given: Given) => {
  const exchange = testExchange({ method: 'POST', ...given });
  const step = await instance(requestSizeLimiting, config).access(exchange);
  return { refusal: refusalOf(step), exchange };
};
const chunked = { 'Transfer-Encoding': 'chunked' };

test.each([
  [{ allowed_payload_size: 1 }, 1024 * 1024, undefined],
  [{ allowed_payload_size: 1 }, 1024 * 1024 + 1, 413],
  [{ allowed_payload_size: 2, size_unit: 'kilobytes' }, 2048, undefined],
  [{ allowed_payload_size: 2, size_unit: 'kilobytes' }, 2049, 413],
  [{ allowed_payload_size: 9, size_unit: 'bytes' }, 10, 413],
  [{}, 128 * 1024 * 1024, undefined],
  [{}, 128 * 1024 * 1024 + 1, 413],
])('given %j, when %i bytes are announced, then the status is %s', async (config, bytes, status) => {
  const { refusal } = await limited(config, { headers: { 'Content-Length': `${bytes}` } });
  expect((refusal as { status?: number } | undefined)?.status).toBe(status);
});

test('the refusal says so in Kong’s words, and as 417 to a client that waits to be told', async () => {
  const config = { allowed_payload_size: 1, size_unit: 'bytes' };
  const headers = { 'Content-Length': '2' };
  expect((await limited(config, { headers })).refusal).toMatchObject({
    status: 413,
    body: { message: 'Request size limit exceeded' },
  });
  const waiting = { ...headers, Expect: '100-continue' };
  expect((await limited(config, { headers: waiting })).refusal).toMatchObject({ status: 417 });
});

test('a body of unknown length is measured before the upstream is called', async () => {
  const config = { allowed_payload_size: 4, size_unit: 'bytes' };
  expect((await limited(config, { headers: chunked, body: '1234' })).refusal).toBeUndefined();
  expect((await limited(config, { headers: chunked, body: '12345' })).refusal).toMatchObject({ status: 413 });
});

test('given a limit too large to hold, when the length is unknown, then the body is cut on its way', async () => {
  const body = Buffer.alloc(1024 * 1024 + 1);
  const { refusal, exchange } = await limited({ allowed_payload_size: 2 }, { headers: chunked, body });
  expect(refusal).toBeUndefined();
  expect(exchange.bodyLimit).toMatchObject({ maxBytes: 2 * 1024 * 1024, refusal: { status: 413 } });
});

test('a length may be required; chunked bodies need none', async () => {
  const config = { require_content_length: true };
  expect((await limited(config, {})).refusal).toMatchObject({
    status: 411,
    body: { message: 'A valid Content-Length header is required' },
  });
  expect((await limited(config, { headers: chunked })).refusal).toBeUndefined();
  expect((await limited({}, {})).refusal).toBeUndefined();
});

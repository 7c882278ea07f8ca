import { gzipSync } from 'node:zlib';
import { startNats } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runRegistry } from '../registry-world.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const message = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'auth' } }] },
      scopeSpans: [
        {
          spans: [
            {
              ...{ traceId: TRACE, spanId: '00f067aa0ba902b7', name: 'process auth.v1.verify' },
              ...{ startTimeUnixNano: '1767323045000000000', endTimeUnixNano: '1767323045002000000' },
              events: [
                {
                  ...{ name: 'plugin', timeUnixNano: '1767323045000500000' },
                  attributes: [{ key: 'sluice.plugin.name', value: { stringValue: 'jwt' } }],
                },
              ],
              links: [
                { traceId: TRACE, spanId: '00f067aa0ba902b8' },
                { traceId: 'a'.repeat(32), spanId: '00f067aa0ba902b9' },
              ],
            },
          ],
        },
      ],
    },
  ],
});

let nats: Awaited<ReturnType<typeof startNats>>;
let registry: Awaited<ReturnType<typeof runRegistry>>;
beforeAll(async () => {
  nats = await startNats();
  registry = await runRegistry(nats.url);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const post = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = JSON_TYPE) =>
  registry.call('/v1/traces', { method: 'POST', body, headers });

test('given spans by OTLP, also packed, then their trace is listed and shown; the audit does not grow', async () => {
  const before = (await registry.jetstream.streamInfo('AUDIT', 1000)).messages;

  expect((await post(message)).status).toBe(200);
  const packed = await post(gzipSync(message), { ...JSON_TYPE, 'content-encoding': 'gzip' });
  expect([packed.status, await packed.json()]).toEqual([200, { partialSuccess: {} }]);

  const summary = { traceId: TRACE, service: 'auth', us: 2000, spans: 1, isFailed: false };
  expect((await registry.send('GET', '/traces?service=auth')).body).toMatchObject({ data: [summary] });
  expect((await registry.send('GET', `/traces/${TRACE}`)).body).toMatchObject({
    ...summary,
    bars: [
      {
        ...{ depth: 0, name: 'process auth.v1.verify', fromUs: 0, us: 2000 },
        events: [{ name: 'plugin', atUs: 500, attributes: { 'sluice.plugin.name': 'jwt' } }],
        links: ['a'.repeat(32)], // and not itself
      },
    ],
  });
  expect((await registry.send('GET', `/traces?trace=${TRACE}`)).body).toMatchObject({ data: [{ us: 2000 }] });
  expect((await registry.send('GET', '/traces?trace=unknown')).body).toEqual({ data: [] });
  expect((await registry.jetstream.streamInfo('AUDIT', 1000)).messages).toBe(before);
});

test.each([
  ['protobuf', 415, 'http/json', Buffer.from([1, 2]), { 'content-type': 'application/x-protobuf' }],
  ['no JSON', 400, 'no JSON', '{', JSON_TYPE],
  [
    'an id that is none',
    400,
    'resourceSpans.0.scopeSpans.0.spans.0.traceId',
    message.replace(TRACE, 'x'),
    JSON_TYPE,
  ],
  [
    'a bomb',
    413,
    'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    gzipSync(Buffer.alloc(9_000_000, ' ')),
    { ...JSON_TYPE, 'content-encoding': 'gzip' },
  ],
])('given %s instead of spans, then %d says what to do', async (_what, status, says, body, headers) => {
  const answer = await post(body, headers);

  expect(answer.status).toBe(status);
  expect(((await answer.json()) as { error: { message: string } }).error.message).toContain(says);
});

test('given an id that nobody has, then the answer says what has to be set', async () => {
  const { status, body } = await registry.send('GET', `/traces/${'f'.repeat(32)}`);

  expect(status).toBe(404);
  expect(body).toMatchObject({
    error: { code: 'trace_not_found', message: expect.stringContaining('OTEL_EXPORTER_OTLP_ENDPOINT') },
  });
});

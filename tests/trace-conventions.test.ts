import { type CallOptions, call, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExplainWorld } from './explain-world.ts';

// OpenTelemetry's conventions for HTTP spans, as a backend of traces reads them.
let world: ExplainWorld;
beforeAll(async () => {
  world = await ExplainWorld.start({ isTraced: true });
});
afterAll(() => world[Symbol.asyncDispose]());

interface Bar {
  readonly depth: number;
  readonly name: string;
  readonly failure?: string;
  readonly attributes: Readonly<Record<string, string | number>>;
}

const newTrace = (): string => crypto.randomUUID().replaceAll('-', '');
const parentIn = (traceId: string) => ({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` });

/** The server span of a trace, and those of the attempts at the upstream. */
const spansOf = (traceId: string) =>
  eventually(async () => {
    const answer = await world.gateway.admin(`/traces/${traceId}`);
    expect(answer.status).toBe(200);
    const { bars } = answer.json<{ bars: Bar[] }>();
    const [server, ...rest] = bars;
    if (server?.depth !== 0 || server.attributes['url.path'] === undefined)
      throw new Error('not all is here');
    return { server, attempts: rest.filter(({ attributes }) => attributes['url.full'] !== undefined) };
  });

const traced = async (path: string, options: CallOptions = {}) => {
  const traceId = newTrace();
  const headers = { ...parentIn(traceId), ...options.headers };
  const { status } = await call(world.gateway.ready.proxy, path, { ...options, headers });
  return { status, ...(await spansOf(traceId)) };
};

test('given a request that passes, then its spans have what the conventions ask for, and never the query', async () => {
  const { server, attempts } = await traced('/open/a?token=planted-secret', {
    headers: { host: 'shop.test' },
  });

  expect(server.name).toBe('GET open');
  expect(server).not.toHaveProperty('failure');
  expect(server.attributes).toMatchObject({
    ...{ 'http.request.method': 'GET', 'http.response.status_code': 200, 'http.route': 'open' },
    ...{ 'url.scheme': 'http', 'url.path': '/open/a', 'server.address': 'shop.test' },
    ...{ 'client.address': '127.0.0.1', 'network.protocol.version': '1.1' },
  });
  const [attempt] = attempts;
  expect(attempt?.name).toBe('GET');
  expect(attempt).not.toHaveProperty('failure');
  expect(attempt?.attributes['url.full']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/open\/a$/);
  expect(attempt?.attributes).toMatchObject({
    ...{ 'http.request.method': 'GET', 'http.response.status_code': 200, 'server.address': '127.0.0.1' },
  });
  expect(JSON.stringify([server, attempts])).not.toContain('planted-secret');
});

test.each<
  [what: string, path: string, status: number, server: string | undefined, attempt: string | undefined]
>([
  ['an upstream that refuses connections', '/dead', 502, 'GW_UPSTREAM_INVALID', 'refused'],
  ['an upstream that says nothing', '/slow', 504, 'GW_UPSTREAM_TIMEOUT', 'timeout'],
  // What a client did wrong is no failure of the server; it is one of who asked.
  ['an upstream’s own 429', '/open/own-429', 429, undefined, '429'],
  ['no credential', '/guarded', 401, undefined, undefined],
])(
  'given %s, then the spans that failed are marked so, and no other',
  async (_what, path, status, server, attempt) => {
    const seen = await traced(path);

    expect(seen.status).toBe(status);
    expect(seen.server.attributes['http.response.status_code']).toBe(status);
    expect(seen.server.failure).toBe(server);
    expect(seen.attempts.map(({ failure }) => failure)).toEqual(attempt === undefined ? [] : [attempt]);
  },
);

test('given a method that nobody knows, then it makes up no name of a span', async () => {
  const { server, attempts } = await traced('/open', { method: 'PROPFIND' });

  for (const { name, attributes } of [server, ...attempts]) {
    expect(name).toMatch(/^HTTP(?: open)?$/);
    expect(attributes).toMatchObject({
      ...{ 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' },
    });
  }
});

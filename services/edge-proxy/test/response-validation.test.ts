import { describe, expect, test } from 'vitest';
import { call, EdgeWorld, ENGINES, forwardBy, plugin, raw, route, service, Upstream } from './edge-world.ts';

const user = { type: 'object', required: ['id'] };
const world = async (upstream: Upstream, config: object) => {
  const to = service('up', upstream.url);
  const plugins = [plugin('response-validation', { body_schema: user, ...config }), plugin('cors', {})];
  return EdgeWorld.start({ services: [to], routes: [route('all', to)], plugins });
};
const answering = (body: string | Buffer, headers: Record<string, string> = {}) =>
  Upstream.start((_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'set-cookie': 'a=b',
      etag: '"1"',
      ...headers,
    });
    response.end(body);
  });

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given an answer that fits, then it goes on byte for byte', async () => {
    await using upstream = await answering('{ "id": 1.0 }');
    await using edge = await world(upstream, {});
    const answer = await call(edge.port, '/');
    expect(answer).toMatchObject({ status: 200, text: '{ "id": 1.0 }' });
    expect(answer.headers.etag).toBe('"1"');
  });

  test('given one that does not, then a 502 in its place carries nothing of it, and what the chain added', async () => {
    await using upstream = await answering('{"secret":1}');
    await using edge = await world(upstream, {});
    const answer = await call(edge.port, '/');
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'GW_RESPONSE_INVALID' } });
    expect(answer.text).not.toContain('secret');
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.headers.etag).toBeUndefined();
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['content-length']).toBe(`${answer.text.length}`);
  });

  test('given an answer too large to be held, then it is refused, and in shadow mode it streams', async () => {
    const large = Buffer.from(JSON.stringify({ id: 'x'.repeat(9 * 1024 * 1024) }));
    await using upstream = await answering(large, { 'content-length': `${large.length}` });
    await using enforcing = await world(upstream, {});
    expect((await call(enforcing.port, '/')).status).toBe(502);
    await using watching = await world(upstream, { mode: 'shadow' });
    expect((await call(watching.port, '/')).text.length).toBe(large.length);
  });

  test('given mode off, then a stream is left alone: each piece goes on as it comes, packed as the client asked', async () => {
    let finish = (): unknown => undefined;
    await using upstream = await Upstream.start((incoming, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-asked': incoming.headers['accept-encoding'],
      });
      response.write('{"id"'); // no JSON yet, and what there is fits no schema
      finish = () => response.end(':1}');
    });
    await using off = await world(upstream, { mode: 'off' });
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n';
    const first = await raw(off.port, request, '{"id"');
    expect(first).toContain('x-asked: br');
    expect(first).toContain('{"id"');
    expect(first).not.toContain(':1}');
    finish();
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  call,
  EdgeWorld,
  ENGINES,
  type Entities,
  forwardBy,
  plugin,
  raw,
  route,
  service,
  Upstream,
} from './edge-world.ts';

type Handler = Parameters<typeof Upstream.start>[0];

const through = async (upstream: Upstream, plugins: Entities['plugins'] = []) => {
  const to = service('up', upstream.url);
  return EdgeWorld.start({ services: [to], routes: [route('all', to)], plugins });
};
const json =
  (text: string, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(text);
  };
const transform = plugin('response-transformer', {
  add: { json: ['added:yes'] },
  remove: { json: ['gone'] },
});

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given a JSON rule, when an answer of known length comes, then body and length are the new ones', async () => {
    const text = '{"gone":"a long text that goes away","keep":1}';
    await using upstream = await Upstream.start(json(text, { 'content-length': `${text.length}` }));
    await using world = await through(upstream, [transform]);
    const answer = await call(world.port, '/');
    expect(answer.text).toBe('{"keep":1,"added":"yes"}');
    expect(answer.headers).toMatchObject({
      'content-length': `${answer.text.length}`,
      via: '1.1 kong/3.9.1',
    });
  });

  test('given a JSON rule, when the answer is the gateway’s own, then it is changed too', async () => {
    await using upstream = await Upstream.start();
    await using world = await through(upstream, [
      transform,
      plugin('request-termination', { status_code: 418, body: '{"gone":1}' }),
    ]);
    const answer = await call(world.port, '/');
    expect(answer).toMatchObject({ status: 418, text: '{"added":"yes"}' });
    expect(answer.headers['content-length']).toBe('15');
  });

  test('given a JSON rule, when HEAD is asked, then the upstream’s length stays', async () => {
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '999' });
      response.end();
    });
    await using world = await through(upstream, [transform]);
    const answer = await call(world.port, '/', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'content-length': '999' } });
  });

  test('given a JSON rule, when an answer is larger than 8 MiB, then every byte of it passes unchanged', async () => {
    const text = `{"gone":"${randomBytes(5 * 1024 * 1024).toString('hex')}"}`;
    for (const headers of [{}, { 'content-length': `${text.length}` }]) {
      await using upstream = await Upstream.start(json(text, headers));
      await using world = await through(upstream, [transform]);
      const answer = await call(world.port, '/');
      expect(answer.text.length).toBe(text.length);
      expect(answer.text === text).toBe(true);
    }
  });

  test('given a JSON rule, when the upstream dies in mid-answer, then the client’s connection breaks', async () => {
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"keep":');
      setImmediate(() => response.socket?.destroy());
    });
    await using world = await through(upstream, [transform]);
    await expect(call(world.port, '/')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  test('given a JSON rule, when an answer of another type streams, then its first part comes before its last', async () => {
    let finish = (): void => undefined;
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: one\n\n');
      finish = () => response.end('data: two\n\n');
    });
    await using world = await through(upstream, [transform]);
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(await raw(world.port, request, 'data: one')).not.toContain('data: two');
    finish();
  });

  test('given response-ratelimiting, when an answer costs more than is left, then 429 without a body is sent', async () => {
    await using upstream = await Upstream.start(json('{"a":1}', { 'x-kong-limit': 'calls=2' }));
    await using world = await through(upstream, [
      plugin('response-ratelimiting', { limits: { calls: { year: 2 } } }),
    ]);
    const first = await call(world.port, '/');
    expect(first).toMatchObject({ status: 200, headers: { 'x-ratelimit-remaining-calls-year': '0' } });
    expect(first.headers).not.toHaveProperty('x-kong-limit');
    expect(await call(world.port, '/')).toMatchObject({
      status: 429,
      text: '',
      headers: { 'content-length': '0' },
    });
    expect(upstream.received[0]?.headers['x-ratelimit-remaining-calls']).toBe('2');
  });

  test('given request-size-limiting, when a chunked body grows past the limit on its way, then 413', async () => {
    await using upstream = await Upstream.start();
    await using world = await through(upstream, [
      plugin('request-size-limiting', { allowed_payload_size: 2 }),
    ]);
    const send = (bytes: number) =>
      call(world.port, '/', {
        method: 'POST',
        headers: { 'Transfer-Encoding': 'chunked' },
        body: 'x'.repeat(bytes),
      });
    expect(await send(3 * 1024 * 1024)).toMatchObject({ status: 413 });
    const fitting = await send(2 * 1024 * 1024);
    expect(fitting.status).toBe(200);
    expect(fitting.json().body).toHaveLength(2 * 1024 * 1024);
  });

  test('given a guarded route, when the prompt is refused, then the upstream hears nothing; another passes whole', async () => {
    await using upstream = await Upstream.start();
    await using world = await through(upstream, [
      plugin('ai-prompt-guard', { deny_patterns: ['(?i)secret'] }),
    ]);
    const send = (content: string) =>
      call(world.port, '/', {
        method: 'POST',
        body: JSON.stringify({ messages: [{ role: 'user', content }] }),
      });
    expect(await send('the SECRET')).toMatchObject({
      status: 400,
      text: '{"error":{"message":"bad request"}}',
    });
    expect(upstream.received).toHaveLength(0);
    expect((await send('hello')).json().body).toContain('hello');
  });
});

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

/** An upstream that counts its answers, so that no two are the same. */
const counting = (headers: Record<string, string> = {}) => {
  let answers = 0;
  return (request: IncomingMessage, response: ServerResponse): void => {
    answers += 1;
    const text = JSON.stringify({ answers, gone: 1 });
    request.resume();
    request.once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-up': `${answers}`, ...headers });
      response.end(request.method === 'HEAD' ? undefined : text);
    });
  };
};
const cached = async (upstream: Upstream, config: object = {}, others: ReturnType<typeof plugin>[] = []) => {
  const to = service('up', upstream.url);
  const cache = plugin('proxy-cache', { strategy: 'memory', ...config });
  return EdgeWorld.start({ services: [to], routes: [route('all', to)], plugins: [cache, ...others] });
};

test('given an answer, when the same comes again, then the upstream is not asked and the client gets the same', async () => {
  await using upstream = await Upstream.start(counting({ 'set-x': 'a', link: '</a>' }));
  await using world = await cached(upstream);
  const first = await call(world.port, '/a?x=1');
  const again = await call(world.port, '/a?x=1');
  const other = await call(world.port, '/a?x=2');
  expect([first, again, other].map(({ headers }) => headers['x-cache-status'])).toEqual([
    'Miss',
    'Hit',
    'Miss',
  ]);
  expect(again.text).toBe(first.text);
  expect(again.headers).toMatchObject({
    'x-up': '1',
    link: '</a>',
    age: '0',
    'content-type': 'application/json',
    'content-length': `${first.text.length}`,
    'x-cache-key': first.headers['x-cache-key'],
    'x-kong-response-latency': expect.any(String),
  });
  expect(again.headers['x-kong-request-id']).not.toBe(first.headers['x-kong-request-id']);
  expect(upstream.received).toHaveLength(2);
});

test('given transformed answers, when one is given again, then it is transformed once, not twice', async () => {
  await using upstream = await Upstream.start(counting({ 'x-app': 'first' }));
  await using world = await cached(upstream, {}, [
    plugin('response-transformer', {
      append: { headers: ['x-app:second'], json: ['list:a'] },
      remove: { json: ['gone'] },
    }),
  ]);
  const first = await call(world.port, '/');
  const again = await call(world.port, '/');
  expect(again.headers['x-cache-status']).toBe('Hit');
  expect(again.json()).toEqual({ answers: 1, list: ['a'] });
  expect(again.text).toBe(first.text);
  expect(again.headers['x-app']).toBe('first, second');
});

test('given POST is kept, when the body differs, then it is another question', async () => {
  await using upstream = await Upstream.start(counting());
  await using world = await cached(upstream, { request_method: ['POST'] });
  const post = async (body: string) =>
    (await call(world.port, '/', { method: 'POST', body })).headers['x-cache-status'];
  expect([await post('one'), await post('two'), await post('one')]).toEqual(['Miss', 'Miss', 'Hit']);
});

test('given HEAD, when it comes again, then the length is the upstream’s and there is no body', async () => {
  await using upstream = await Upstream.start(counting({ 'content-length': '25' }));
  await using world = await cached(upstream);
  await call(world.port, '/', { method: 'HEAD' });
  const again = await call(world.port, '/', { method: 'HEAD' });
  expect(again).toMatchObject({ text: '', headers: { 'x-cache-status': 'Hit', 'content-length': '25' } });
});

test('given an upstream that dies in mid-answer, when asked again, then half an answer was not kept', async () => {
  let isBroken = true;
  const whole = counting();
  await using upstream = await Upstream.start((request, response) => {
    if (!isBroken) {
      whole(request, response);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"half":');
    setImmediate(() => response.socket?.destroy());
  });
  await using world = await cached(upstream);
  await expect(call(world.port, '/')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  isBroken = false;
  expect((await call(world.port, '/')).headers['x-cache-status']).toBe('Miss');
});

test('given little memory, when answers come, then the oldest goes', async () => {
  const big = 'x'.repeat(3000);
  await using upstream = await Upstream.start((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(big);
  });
  const to = service('up', upstream.url);
  const plugins = [plugin('proxy-cache', { strategy: 'memory' })];
  const entities = { services: [to], routes: [route('all', to)], plugins };
  await using world = await EdgeWorld.start(entities, { ANSWER_CACHE_BYTES: '8000' });
  const status = async (path: string) => (await call(world.port, path)).headers['x-cache-status'];
  expect(await status('/1')).toBe('Miss');
  expect(await status('/2')).toBe('Miss');
  expect(await status('/2')).toBe('Hit');
  expect(await status('/3')).toBe('Miss');
  expect(await status('/1')).toBe('Miss');
});

import { describe, expect, test } from 'vitest';
import {
  call,
  type Echo,
  EdgeWorld,
  ENGINES,
  forwardBy,
  plugin,
  raw,
  route,
  service,
  Upstream,
} from './edge-world.ts';
import { RawUpstream } from './raw-upstream.ts';

const throughTo = async ({ url }: { readonly url: string }) => {
  const to = service('up', url);
  return EdgeWorld.start({ services: [to], routes: [route('all', to)] });
};
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given header lines of which one is repeated, when forwarded, then the upstream reads them in their order', async () => {
    await using upstream = await RawUpstream.start((socket) => socket.write(OK));
    await using world = await throughTo(upstream);
    const lines = 'X-Dup: 1\r\nX-Other: a\r\nx-dup: 2\r\nX-Last: b\r\n';
    await raw(world.port, `GET / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`);
    expect(upstream.received[0]?.match(/(?<=\r\n)x-(?:dup|other|last): .*/gi)).toEqual([
      'X-Dup: 1',
      'X-Other: a',
      'x-dup: 2',
      'X-Last: b',
    ]);
  });

  test.each(['POST', 'PUT', 'PATCH'])(
    'given a %s without a body, then the upstream reads that it has none',
    async (method) => {
      await using upstream = await RawUpstream.start((socket) => socket.write(OK));
      await using world = await throughTo(upstream);
      await raw(world.port, `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(upstream.received[0]).toMatch(/\r\ncontent-length: 0\r\n/i);
      expect(upstream.received[0]).not.toMatch(/transfer-encoding/i);
    },
  );

  test.each(['POST', 'DELETE'])(
    'given a plugin that removes the length of a %s, then its body still ends where it ends',
    async (method) => {
      await using upstream = await Upstream.start();
      const to = service('up', upstream.url);
      const transform = plugin('request-transformer', { remove: { headers: ['content-length'] } });
      await using world = await EdgeWorld.start({
        services: [to],
        routes: [route('all', to)],
        plugins: [transform],
      });
      for (const body of ['GET /a HTTP/1.1\r\n\r\n', 'b']) {
        const headers = { 'content-length': `${body.length}` };
        const answer = await call(world.port, '/', { method, body, headers });
        expect(answer.json<Echo>()).toMatchObject({ method, body });
      }
      expect(upstream.received.length).toBe(2);
    },
  );

  test('given an upstream that keeps connections for a second, then none is used again', async () => {
    await using upstream = await RawUpstream.start((socket) =>
      socket.write(OK.replace('\r\n\r\n', '\r\nkeep-alive: timeout=1\r\n\r\n')),
    );
    await using world = await throughTo(upstream);
    for (let i = 0; i < 2; i++) expect((await call(world.port, '/')).text).toBe('ok');
    expect(upstream.received.length).toBe(2);
  });

  test('given many requests on one connection to the upstream, then nothing is left listening there', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    await using upstream = await RawUpstream.start((socket) => socket.write(OK));
    await using world = await throughTo(upstream);
    for (let i = 0; i < 20; i++) expect((await call(world.port, '/')).text).toBe('ok');
    expect(upstream.received.length).toBe(1);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

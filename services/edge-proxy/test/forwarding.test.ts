import { connect } from 'node:net';
import { eventually, freePort } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import {
  call,
  type Echo,
  EdgeWorld,
  ENGINES,
  echo,
  forwardBy,
  raw,
  route,
  service,
  Upstream,
} from './edge-world.ts';
import { targetEntity, upstreamEntity } from './upstream-entities.ts';

const throughTo = async (upstream: Upstream, over: Parameters<typeof service>[2] = {}) => {
  const to = service('up', upstream.url, over);
  return EdgeWorld.start({ services: [to], routes: [route('all', to)] });
};

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given a chunked body on any method, when forwarded, then it is that request’s body and never a second request', async () => {
    await using upstream = await Upstream.start();
    await using world = await throughTo(upstream);
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n';
    const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
    for (const method of ['DELETE', 'OPTIONS', 'GET', 'POST', 'PUT', 'PATCH', 'HEAD']) {
      upstream.received.length = 0;
      const bytes = `${method} /m HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}`;
      const answer = await raw(world.port, bytes);
      expect(answer, method).toMatch(/^HTTP\/1\.1 200 /);
      expect(
        upstream.received.map((r) => r.url),
        method,
      ).toEqual(['/m']);
      if (method !== 'HEAD') expect(answer, method).toContain('/smuggled'); // echoed as body
    }
  });

  test('given an upstream that dies in mid-answer, when relayed, then the client’s connection breaks too', async () => {
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
      setImmediate(() => response.socket?.destroy());
    });
    await using world = await throughTo(upstream);
    await expect(call(world.port, '/')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  test('given a client that leaves, when the upstream still answers, then the upstream’s connection is freed', async () => {
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200);
      response.write('x');
    });
    await using world = await throughTo(upstream);
    const client = connect(world.port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    await eventually(() => expect(upstream.sockets.size).toBe(1));
    client.destroy();
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });

  test('given 10 waves of 64 clients that reset with a request in flight, when others ask, then all are served', async () => {
    await using upstream = await Upstream.start((incoming, response) => {
      if (incoming.url === '/slow') setTimeout(() => response.end('late'), 300);
      else echo(incoming, response);
    });
    await using world = await throughTo(upstream);
    for (let wave = 0; wave < 10; wave++) {
      const clients = Array.from({ length: 64 }, () => {
        const client = connect(world.port, '127.0.0.1', () =>
          client.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n'),
        );
        client.on('error', () => undefined);
        return client;
      });
      await Promise.all(clients.map((client) => eventually(() => client.bytesWritten > 0)));
      for (const client of clients) client.resetAndDestroy();
    }
    const answers = await Promise.all(Array.from({ length: 64 }, () => call(world.port, '/ok')));
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    await eventually(() => expect(world.edges.length).toBe(1));
  });

  test('given an event stream, when the upstream sends one event and waits, then the client has it at once', async () => {
    let finish = () => undefined as unknown;
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: one\n\n');
      finish = () => response.end('data: two\n\n');
    });
    await using world = await throughTo(upstream);
    const first = await raw(world.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'data: one');
    expect(first).toContain('text/event-stream');
    finish();
  });

  test('given headers without a body yet, when the upstream flushes them, then the client has the head', async () => {
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200, { 'x-early': 'yes' });
      response.flushHeaders();
    });
    await using world = await throughTo(upstream);
    expect(await raw(world.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\r\n\r\n')).toContain('x-early: yes');
  });

  test('given an idle upstream connection that is closed under a request, when it is a GET, then it is repeated on a fresh one', async () => {
    let seen = 0;
    await using upstream = await Upstream.start((incoming, response) => {
      seen += 1;
      if (seen === 2) incoming.socket.destroy();
      else echo(incoming, response);
    });
    await using world = await throughTo(upstream);
    expect((await call(world.port, '/first')).status).toBe(200);
    expect((await call(world.port, '/second')).status).toBe(200);
    expect(upstream.received.map((r) => r.url)).toEqual(['/first', '/second', '/second']);
  });

  test('given hop-by-hop headers both ways, when forwarded, then they stop at the gateway', async () => {
    await using upstream = await Upstream.start((incoming, response) => {
      response.setHeader('proxy-connection', 'x');
      response.setHeader('x-accel-redirect', '/secret');
      response.setHeader('x-stay', '1');
      echo(incoming, response);
    });
    await using world = await throughTo(upstream);
    const answer = await call(world.port, '/', {
      headers: {
        connection: 'X-Foo, X-Bar',
        'x-foo': 'no',
        authorization: 'Bearer keep',
        te: 'trailers, deflate',
        proxy: 'http://evil',
        'keep-alive': 'timeout=9',
        upgrade: 'h2c',
      },
    });
    const { headers } = answer.json<Echo>();
    expect(headers).toMatchObject({ authorization: 'Bearer keep', te: 'trailers' });
    for (const name of ['x-foo', 'proxy', 'keep-alive', 'upgrade'])
      expect(headers[name], name).toBeUndefined();
    expect(answer.headers['x-stay']).toBe('1');
    expect(answer.headers['x-accel-redirect']).toBeUndefined();
    expect(answer.headers['proxy-connection']).toBeUndefined();
  });

  test('given a POST and a first target that refuses, when the next one accepts, then the body arrives whole', async () => {
    await using upstream = await Upstream.start();
    const to = service('up', upstream.url, { host: 'pool', retries: 5 });
    const pool = upstreamEntity('pool');
    const addresses = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${upstream.port}`];
    const targets = addresses.map((address) => targetEntity(pool, address));
    await using world = await EdgeWorld.start({
      services: [to],
      routes: [route('all', to)],
      upstreams: [pool],
      targets,
    });
    const body = 'x'.repeat(50_000);
    for (let i = 0; i < 4; i++)
      expect((await call(world.port, '/', { method: 'POST', body })).json<Echo>().body).toBe(body);
  });

  test('given an upstream entity without a usable target, when asked, then 503 failure to get a peer', async () => {
    const to = service('up', 'http://pool', { host: 'pool' });
    const pool = upstreamEntity('pool');
    await using world = await EdgeWorld.start({
      services: [to],
      routes: [route('all', to)],
      upstreams: [pool],
    });
    const answer = await call(world.port, '/');
    expect(answer.status).toBe(503);
    expect(answer.json().message).toBe('failure to get a peer from the ring-balancer');
  });

  test('given Expect: 100-continue, when the body follows, then it arrives and the header does not', async () => {
    await using upstream = await Upstream.start();
    await using world = await throughTo(upstream);
    const answer = await call(world.port, '/', {
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': '5' },
      body: 'hello',
    });
    const seen = answer.json<Echo>();
    expect(seen.body).toBe('hello');
    expect(seen.headers.expect).toBeUndefined();
  });

  test('given a WebSocket handshake, when the upstream agrees, then both ends are joined and the 101 is ours', async () => {
    await using upstream = await Upstream.start();
    upstream.server.on('upgrade', (request, socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Path: ${request.url}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
    await using world = await throughTo(upstream);
    const handshake =
      'GET /ws?a=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\nping';
    const answer = await raw(world.port, handshake, 'ping');
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer.toLowerCase()).toContain('via: 1.1 kong/');
    expect(answer.toLowerCase()).toContain('x-path: /ws?a=1');
  });

  test('given a WebSocket handshake, when the upstream refuses or is away, then a real answer comes back', async () => {
    await using upstream = await Upstream.start((_request, response) => response.writeHead(403).end('no'));
    await using world = await throughTo(upstream);
    const handshake = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await raw(world.port, handshake)).toMatch(/^HTTP\/1\.1 403 [\s\S]*no/);
    await upstream[Symbol.asyncDispose]();
    expect(await raw(world.port, handshake)).toMatch(/^HTTP\/1\.1 502 /);
  });
});

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { eventually } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import {
  call,
  type Echo,
  EdgeWorld,
  ENGINES,
  forwardBy,
  raw,
  route,
  service,
  Upstream,
} from './edge-world.ts';
import { RawUpstream } from './raw-upstream.ts';

const throughTo = async ({ url }: { readonly url: string }, over: Parameters<typeof service>[2] = {}) => {
  const to = service('up', url, over);
  return EdgeWorld.start({ services: [to], routes: [route('all', to)] });
};
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = (version = '1.1', lines = '') => `GET / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`;

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given an upstream that says 100 Continue or 103 unasked, then its answer passes, on the same connection again', async () => {
    await using upstream = await RawUpstream.start((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
    });
    await using world = await throughTo(upstream);
    for (let i = 0; i < 3; i++)
      expect(await call(world.port, '/')).toMatchObject({ status: 200, text: 'ok' });
    expect(upstream.received.length).toBe(1);
  });

  test('given an upstream that switches protocols unasked, then 502 and one attempt', async () => {
    await using upstream = await RawUpstream.start((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    );
    await using world = await throughTo(upstream, { retries: 3 });
    expect((await call(world.port, '/')).status).toBe(502);
    expect(upstream.received.length).toBe(1);
  });

  test('given trailers in the answer, when the client takes them, then they pass; else the body alone', async () => {
    await using upstream = await RawUpstream.start((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n',
      ),
    );
    await using world = await throughTo(upstream);
    const taken = await raw(world.port, get('1.1', 'TE: trailers\r\n'), '0\r\nX-Sum: 7\r\n\r\n');
    expect(taken).toContain('Trailer: X-Sum');
    expect(await raw(world.port, get(), '\r\n0\r\n\r\n')).not.toContain('X-Sum');
  });

  test('given repeated, odd and padded header lines, then both sides see them as they were written', async () => {
    await using upstream = await RawUpstream.start((socket) =>
      socket.write(
        'HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-Dup: 1\r\nX-dup: 2\r\nX-Pad:  a b \t\r\nX-Utf: caf\xe9\r\n\r\nok',
        'latin1',
      ),
    );
    await using world = await throughTo(upstream);
    const answer = await raw(world.port, get('1.1', 'X-CaSe: 1\r\nConnection: close\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
    expect(answer).toContain('\r\nX-Dup: 1\r\nX-dup: 2\r\nX-Pad: a b\r\nX-Utf: caf\xe9\r\n');
    expect(upstream.received[0]).toContain('\r\nX-CaSe: 1\r\n');
  });

  test.each([
    { method: 'HEAD', answer: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', status: 200, length: '9' },
    { method: 'GET', answer: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, length: undefined },
    {
      method: 'GET',
      answer: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
      status: 304,
      length: undefined,
    },
  ])('given an answer without a body ($method, $status), then it ends at its head', async (row) => {
    await using upstream = await RawUpstream.start((socket) => socket.write(row.answer));
    await using world = await throughTo(upstream);
    const answer = await call(world.port, '/', { method: row.method });
    expect(answer).toMatchObject({ status: row.status, text: '' });
    expect(answer.headers['content-length']).toBe(row.length);
  });

  test('given a client of HTTP/1.0, when the answer is chunked, then it gets the bytes and the end of the connection', async () => {
    await using upstream = await RawUpstream.start((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'),
    );
    await using world = await throughTo(upstream);
    const answer = await raw(world.port, get('1.0'));
    expect(answer.toLowerCase()).not.toContain('transfer-encoding');
    expect(answer).toMatch(/\r\n\r\nabcde$/);
  });

  test('given an answer that ends with its connection, then it is whole; cut by a reset it breaks off', async () => {
    await using upstream = await RawUpstream.start((socket, head) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf', () => {
        if (head.startsWith('GET /whole')) socket.end();
        else setImmediate(() => socket.resetAndDestroy());
      });
    });
    await using world = await throughTo(upstream);
    expect(await call(world.port, '/whole')).toMatchObject({ status: 200, text: 'half' });
    await expect(call(world.port, '/cut')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  test('given an upstream that goes silent in mid-answer, when read_timeout is over, then the client’s connection breaks', async () => {
    await using upstream = await RawUpstream.start((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    );
    await using world = await throughTo(upstream, { read_timeout: 100 });
    await expect(call(world.port, '/')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    await eventually(() => upstream.sockets.size === 0);
  });

  test('given an upstream that sends a byte now and then, when each comes within read_timeout, then it may take longer', async () => {
    await using upstream = await RawUpstream.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
      let sent = 0;
      const timer = setInterval(() => {
        socket.write('x');
        sent += 1;
        if (sent === 6) clearInterval(timer);
      }, 100);
    });
    await using world = await throughTo(upstream, { read_timeout: 400 });
    expect((await call(world.port, '/')).text).toBe('xxxxxx');
  });

  test('given an upstream that does not read a body, when write_timeout is over, then 504', async () => {
    await using upstream = await RawUpstream.start((socket) => socket.pause());
    await using world = await throughTo(upstream, { write_timeout: 200, read_timeout: 20_000 });
    const body = randomBytes(16 * 1024 * 1024).toString('latin1');
    const client = connect(world.port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.write(body, 'latin1');
    const answer = await new Promise<string>((resolve) => client.once('data', (b) => resolve(b.toString())));
    client.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 504 /);
  });

  test('given a client that leaves before the upstream answers, then the upstream’s connection is freed', async () => {
    await using upstream = await RawUpstream.start(() => undefined);
    await using world = await throughTo(upstream);
    const client = connect(world.port, '127.0.0.1', () => client.write(get()));
    await eventually(() => expect(upstream.received[0]).toContain('GET /'));
    client.destroy();
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });

  test('given a client that does not read, then the upstream waits; once it reads, every byte comes', async () => {
    const size = 24 * 1024 * 1024;
    let hasFinished = false;
    await using upstream = await Upstream.start((_request, response) => {
      response.writeHead(200, { 'content-length': `${size}` });
      response.end(Buffer.alloc(size, 'x'), () => {
        hasFinished = true;
      });
    });
    await using world = await throughTo(upstream, { read_timeout: 1000 });
    const client = connect(world.port, '127.0.0.1', () => client.write(get('1.1', 'Connection: close\r\n')));
    client.pause();
    let before = -1;
    await eventually(() => {
      const [socket] = upstream.sockets;
      const now = socket?.bytesWritten ?? 0;
      const stands = now > 0 && now === before;
      before = now;
      return stands;
    });
    // Longer than read_timeout: a client that is slow is not the upstream's fault.
    const stoodAt = performance.now();
    await eventually(() => performance.now() > stoodAt + 1500);
    expect(upstream.sockets.size).toBe(1);
    expect(hasFinished).toBe(false);
    let bytes = 0;
    client.on('data', (chunk) => {
      bytes += chunk.length;
    });
    client.resume();
    await new Promise((closed) => client.once('close', closed));
    expect(bytes).toBeGreaterThan(size);
  });

  test('given 100 open streams, when short requests come, then they are served; then the streams end', async () => {
    const ends: (() => void)[] = [];
    await using upstream = await Upstream.start((request, response) => {
      if (request.url !== '/stream') response.end('short');
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
        ends.push(() => response.end('data: 2\n\n'));
      }
    });
    await using world = await throughTo(upstream);
    const streams = Array.from({ length: 100 }, () => call(world.port, '/stream'));
    await eventually(() => ends.length === 100);
    for (let i = 0; i < 5; i++) expect((await call(world.port, '/short')).text).toBe('short');
    for (const end of ends) end();
    for (const { text } of await Promise.all(streams)) expect(text).toBe('data: 1\n\ndata: 2\n\n');
  });

  test('given a large body by a slow upstream, when it is sent in pieces, then it arrives whole', async () => {
    await using upstream = await Upstream.start((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        request.pause();
        setImmediate(() => request.resume());
      });
      request.on('end', () => response.end(`${bytes}`));
    });
    await using world = await throughTo(upstream);
    const body = 'x'.repeat(5 * 1024 * 1024);
    for (const headers of [{ 'Transfer-Encoding': 'chunked' }, { 'Content-Length': `${body.length}` }])
      expect((await call(world.port, '/', { method: 'POST', headers, body })).text).toBe(`${body.length}`);
  });

  test('given an upstream that answers before it has read the body, then the client gets that answer', async () => {
    await using upstream = await RawUpstream.start((socket) => {
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
    });
    await using world = await throughTo(upstream);
    const part = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(100)}`;
    expect(await raw(world.port, part, '\r\n\r\nno')).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('given kept connections, also one idle for longer than read_timeout, when the upstream is mute on them, then 504', async () => {
    await using upstream = await RawUpstream.start((socket, head) => {
      if (head.startsWith('GET /mute')) return;
      if (head.startsWith('GET /fast')) socket.write(OK);
      else {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n');
        let sent = 0;
        const timer = setInterval(() => {
          socket.write('x');
          sent += 1;
          if (sent === 4) clearInterval(timer);
        }, 100);
      }
    });
    await using world = await throughTo(upstream, { read_timeout: 300 });
    const slow = call(world.port, '/slow'); // meanwhile the other connection is idle for longer
    expect((await call(world.port, '/fast')).status).toBe(200);
    expect((await slow).text).toBe('xxxx');
    const mute = await Promise.all([call(world.port, '/mute'), call(world.port, '/mute')]);
    expect(mute.map(({ status }) => status)).toEqual([504, 504]);
    expect(upstream.received.length).toBe(2);
  });

  test('given idle connections that the upstream has closed, when a POST comes, then it goes out on a new one', async () => {
    await using upstream = await Upstream.start();
    await using world = await throughTo(upstream);
    for (let i = 0; i < 3; i++) {
      expect((await call(world.port, '/', { method: 'POST', body: `${i}` })).json<Echo>().body).toBe(`${i}`);
      upstream.server.closeIdleConnections();
      await eventually(() => upstream.sockets.size === 0);
    }
  });

  test('given an edge that stops, then no connection to an upstream stays', async () => {
    await using upstream = await Upstream.start();
    {
      await using world = await throughTo(upstream);
      expect((await call(world.port, '/')).json<Echo>().method).toBe('GET');
      expect(upstream.sockets.size).toBe(1);
    }
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });
});

import http2 from 'node:http2';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { type Echo, EdgeWorld, echo, Upstream } from './edge-world.ts';
import { type Got, shownFor, TLS, throughTo, tlsPort } from './tls-world.ts';

const overHttp2 = async (
  port: number,
  requests: readonly { headers: http2.OutgoingHttpHeaders; body?: string }[],
): Promise<(Got & { trailers: http2.IncomingHttpHeaders })[]> => {
  const session = http2.connect(`https://localhost:${port}`, { rejectUnauthorized: false });
  const answers = requests.map(
    ({ headers, body }) =>
      new Promise<Got & { trailers: http2.IncomingHttpHeaders }>((resolve, reject) => {
        const stream = session.request(headers, { endStream: body === undefined });
        let head: http2.IncomingHttpHeaders = {};
        let trailers: http2.IncomingHttpHeaders = {};
        let text = '';
        stream.on('response', (received) => {
          head = received;
        });
        stream.on('trailers', (received) => {
          trailers = received;
        });
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.once('end', () => resolve({ status: Number(head[':status']), headers: head, text, trailers }));
        stream.once('error', reject);
        if (body !== undefined) stream.end(body);
      }),
  );
  try {
    return await Promise.all(answers);
  } finally {
    session.close();
  }
};

test('given HTTP/2, when many requests share a connection, then each gets its answer and the upstream sees HTTP/1.1 ones', async () => {
  await using upstream = await Upstream.start();
  await using world = await EdgeWorld.start(throughTo(upstream), TLS);
  const requests = Array.from({ length: 20 }, (_none, i) => ({
    headers: { ':path': `/r/${i}?q=${i}`, ':method': 'POST', cookie: ['a=1', 'b=2'] },
    body: `body ${i}`,
  }));
  const answers = await overHttp2(tlsPort(world), requests);
  for (const [i, answer] of answers.entries()) {
    const seen = JSON.parse(answer.text) as Echo;
    expect(answer.status).toBe(200);
    expect(seen).toMatchObject({ method: 'POST', url: `/r/${i}?q=${i}`, body: `body ${i}` });
    expect(seen.headers.cookie).toBe('a=1; b=2');
    expect(seen.headers.via).toBe('2 kong/3.9.1');
    expect(seen.headers['x-forwarded-host']).toBe('localhost');
    expect(answer.headers.via).toMatch(/kong/);
  }
});

test('given HTTP/2, then repeated headers, trailers, empty answers, errors and HEAD come through', async () => {
  await using upstream = await Upstream.start((request, response) => {
    if (request.url === '/none') return void response.writeHead(204).end();
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    if (request.method === 'HEAD') return void response.end();
    response.setHeader('trailer', 'x-sum');
    response.write('part ');
    response.addTrailers({ 'x-sum': '9' });
    return void response.end('end');
  });
  await using world = await EdgeWorld.start(throughTo(upstream, { paths: ['/t', '/none'] }), TLS);
  const [whole, none, lost, head] = await overHttp2(tlsPort(world), [
    { headers: { ':path': '/t', te: 'trailers' } },
    { headers: { ':path': '/none' } },
    { headers: { ':path': '/lost' } },
    { headers: { ':path': '/t', ':method': 'HEAD' } },
  ]);
  expect(whole?.text).toBe('part end');
  expect(whole?.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(whole?.trailers['x-sum']).toBe('9');
  expect([none?.status, none?.text]).toEqual([204, '']);
  expect(lost?.status).toBe(404);
  expect(JSON.parse(lost?.text ?? '').message).toBe('no Route matched with those values');
  expect([head?.status, head?.text]).toEqual([200, '']);
});

test('given HTTP/2 and an upstream that dies in mid-answer, then the stream breaks and does not look whole', async () => {
  await using upstream = await Upstream.start((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half');
    setImmediate(() => response.socket?.destroy());
  });
  await using world = await EdgeWorld.start(throughTo(upstream), TLS);
  await expect(overHttp2(tlsPort(world), [{ headers: { ':path': '/' } }])).rejects.toThrow(
    /NGHTTP2_INTERNAL_ERROR/,
  );
});

test('given HTTP/2 and a client that gives up, then the upstream’s connection is freed and the session goes on', async () => {
  await using upstream = await Upstream.start((request, response) => {
    if (request.url === '/ok') echo(request, response);
    else response.write('x');
  });
  await using world = await EdgeWorld.start(throughTo(upstream), TLS);
  const session = http2.connect(`https://localhost:${tlsPort(world)}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/hang' });
  await eventually(() => expect(upstream.sockets.size).toBe(1));
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await eventually(() => expect(upstream.sockets.size).toBe(0));
  const next = session.request({ ':path': '/ok' });
  const status = await new Promise((resolve) => next.once('response', (head) => resolve(head[':status'])));
  expect(status).toBe(200);
  session.destroy();
});

test('given an edge that stops, then an HTTP/2 answer under way ends whole and no new connection is taken', async () => {
  let finish: () => void = () => undefined;
  await using upstream = await Upstream.start((_request, response) => {
    response.write('first ');
    finish = () => response.end('last');
  });
  await using world = await EdgeWorld.start(throughTo(upstream), TLS);
  const port = tlsPort(world);
  const running = overHttp2(port, [{ headers: { ':path': '/' } }]);
  await eventually(() => expect(upstream.received.length).toBe(1));
  const stopped = world.edges[0]?.stop();
  world.edges.length = 0;
  await eventually(() => expect(shownFor(port, 'a')).rejects.toThrow(/ECONNREFUSED/));
  finish();
  expect((await running)[0]?.text).toBe('first last');
  await stopped;
});

import { freePort } from '@sluice/testkit';
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

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given an empty configuration, when anything is asked, then 404 in Kong’s form', async () => {
    await using world = await EdgeWorld.start();

    const json = await call(world.port, '/x');
    const html = await call(world.port, '/x', { headers: { accept: 'text/html' } });

    expect(json.status).toBe(404);
    const id = json.headers['x-kong-request-id'];
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(json.text).toBe(`{\n  "message":"no Route matched with those values",\n  "request_id":"${id}"\n}`);
    expect(json.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(json.headers['x-kong-response-latency']).toMatch(/^\d+$/);
    expect(json.headers.server).toMatch(/^kong\//);
    expect(json.headers.via).toBeUndefined();
    expect(html.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(html.text).toContain('<p>no Route matched with those values.</p>');
  });

  test('given a route, when it is asked, then the upstream sees the forwarding headers and the client the latencies', async () => {
    await using upstream = await Upstream.start();
    const to = service('echo', upstream.url);
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });

    const answer = await call(world.port, '/foo/bar?x=1', {
      headers: {
        host: 'in.test',
        'x-forwarded-for': '1.1.1.1',
        'x-forwarded-proto': 'https',
        'x-consumer-id': 'forged',
      },
    });

    expect(answer.status).toBe(200);
    const seen = answer.json<Echo>();
    expect(seen.url).toBe('/foo/bar?x=1');
    expect(seen.headers).toMatchObject({
      host: `127.0.0.1:${upstream.port}`,
      'x-forwarded-for': '1.1.1.1, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'in.test',
      'x-forwarded-port': `${world.port}`,
      'x-forwarded-path': '/foo/bar',
      'x-real-ip': '127.0.0.1',
      'x-kong-request-id': answer.headers['x-kong-request-id'],
      via: '1.1 kong/3.9.1',
    });
    expect(seen.headers['x-consumer-id']).toBeUndefined();
    expect(seen.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(answer.headers['x-kong-upstream-latency']).toMatch(/^\d+$/);
    expect(answer.headers['x-kong-proxy-latency']).toMatch(/^\d+$/);
    expect(answer.headers.via).toBe('1.1 kong/3.9.1');
  });

  test('given a stripped prefix, when asked with a bare question mark, then path, query and prefix arrive as Kong sends them', async () => {
    await using upstream = await Upstream.start();
    const to = service('echo', upstream.url);
    await using world = await EdgeWorld.start({
      services: [to],
      routes: [route('foo', to, { paths: ['/foo'], strip_path: true })],
    });

    const seen = (await call(world.port, '/foo/bar?x=')).json<Echo>();
    expect(seen.url).toBe('/bar?x=');
    expect(seen.headers['x-forwarded-prefix']).toBe('/foo');
    expect(seen.headers['x-forwarded-path']).toBe('/foo/bar');
    expect((await call(world.port, '/foo/bar?')).json<Echo>().url).toBe('/bar?');
  });

  test('given dot segments and encodings, when asked, then the upstream gets the normalised path', async () => {
    await using upstream = await Upstream.start();
    const to = service('echo', upstream.url);
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
    expect((await call(world.port, '/a/%2e%2e//b/%41')).json<Echo>().url).toBe('/b/A');
  });

  test('given a service on a closed port, when asked, then 502 as Kong’s error page, counted as proxied', async () => {
    const to = service('closed', `http://127.0.0.1:${await freePort()}`);
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });

    const plain = await call(world.port, '/');
    const json = await call(world.port, '/', { headers: { accept: 'application/json' } });

    expect(plain.status).toBe(502);
    expect(plain.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(plain.text).toBe(
      `An invalid response was received from the upstream server\nrequest_id: ${plain.headers['x-kong-request-id']}\n`,
    );
    expect(plain.headers.via).toBe('1.1 kong/3.9.1');
    expect(plain.headers['x-kong-proxy-latency']).toMatch(/^\d+$/);
    expect(json.json().message).toBe('An invalid response was received from the upstream server');
  });

  test('given an upstream that stays silent past read_timeout, when asked, then 504', async () => {
    await using upstream = await Upstream.start(() => undefined);
    const to = service('mute', upstream.url, { read_timeout: 100 });
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
    const answer = await call(world.port, '/');
    expect(answer.status).toBe(504);
    expect(answer.text).toContain('The upstream server is timing out');
  });

  test('given a name that does not resolve, when asked, then 503 name resolution failed', async () => {
    const to = service('nowhere', 'http://no-such-host.invalid:8080');
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
    const answer = await call(world.port, '/');
    expect(answer.status).toBe(503);
    expect(answer.json().message).toBe('name resolution failed');
  });

  test('given an upstream that accepts and hangs up, with 3 retries, then a GET is tried 4 times and a POST once', async () => {
    await using upstream = await Upstream.start((incoming) => incoming.socket.destroy());
    const to = service('drop', upstream.url, { retries: 3 });
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });

    expect((await call(world.port, '/')).status).toBe(502);
    expect(upstream.received.length).toBe(4);
    expect((await call(world.port, '/', { method: 'POST', body: 'once' })).status).toBe(502);
    expect(upstream.received.length).toBe(5);
  });

  test('given an upstream that answers 500, with retries, then it is asked once and its answer passes', async () => {
    await using upstream = await Upstream.start((_request, response) => response.writeHead(500).end('mine'));
    const to = service('broken', upstream.url, { retries: 5 });
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
    expect(await call(world.port, '/')).toMatchObject({ status: 500, text: 'mine' });
    expect(upstream.received.length).toBe(1);
  });

  test('given a route without a service, when asked, then 503 no Service found', async () => {
    await using world = await EdgeWorld.start({ routes: [route('lonely', null)] });
    const answer = await call(world.port, '/');
    expect(answer.status).toBe(503);
    expect(answer.json().message).toBe('no Service found with those values');
  });

  test('given an https-only route, when reached over http, then the redirect the route asks for', async () => {
    await using upstream = await Upstream.start();
    const to = service('echo', upstream.url);
    const secure = { protocols: ['https'] };
    await using world = await EdgeWorld.start({
      services: [to],
      routes: [
        route('plain', to, { ...secure, paths: ['/a'] }),
        route('moved', to, { ...secure, paths: ['/b'], https_redirect_status_code: 301 }),
      ],
    });
    const upgrade = await call(world.port, '/a');
    const moved = await call(world.port, '/b?x=1', { headers: { host: 'in.test:8000' } });
    expect(upgrade.status).toBe(426);
    expect(upgrade.json().message).toBe('Please use HTTPS protocol');
    expect(upgrade.headers.upgrade).toBe('TLS/1.2, HTTP/1.1');
    expect(moved).toMatchObject({ status: 301, text: '' });
    expect(moved.headers.location).toBe('https://in.test/b?x=1');
  });

  test('given a global cors and a global correlation id, when nothing matches, then the 404 carries both', async () => {
    await using world = await EdgeWorld.start({
      plugins: [
        plugin('cors', { origins: ['http://localhost:3000'], credentials: true }),
        plugin('correlation-id', { header_name: 'X-Request-Id', generator: 'uuid', echo_downstream: true }),
      ],
    });
    const answer = await call(world.port, '/', { headers: { origin: 'http://localhost:3000' } });
    expect(answer.status).toBe(404);
    expect(answer.headers['access-control-allow-origin']).toBe('http://localhost:3000');
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('given malformed requests, when sent raw, then each gets 400 and its connection ends', async () => {
    await using upstream = await Upstream.start();
    const to = service('echo', upstream.url);
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
    const head = (lines: string) => `POST / HTTP/1.1\r\n${lines}\r\n\r\n`;
    const hostile = [
      'NONSENSE\r\n\r\n',
      head('Host: a\r\nHost: b'),
      head('Host: a b'),
      head('Host: user@h'),
      head('Content-Length: abc\r\nHost: a'),
      head('Host: a\r\nContent-Length: 3\r\nContent-Length: 4'),
      head('Host: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked'),
      head('Host: a\r\nTransfer-Encoding: identity'),
      head('Host: a\r\nTransfer-Encoding: gzip, chunked'),
      `GET http://other.test/ HTTP/1.1\r\nHost: a\r\n\r\n`,
    ];
    for (const bytes of hostile) expect(await raw(world.port, bytes), bytes).toMatch(/^HTTP\/1\.1 400 /);
    expect(upstream.received.length).toBe(0);
  });
});

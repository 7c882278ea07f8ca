import { freePort } from '@sluice/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchangeRaw, splitRaw } from './raw.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
  world.upstream.answerWith('slow', { delayMs: 30_000 });
  const closed = await freePort();
  const on = (name: string, over: Record<string, unknown>) =>
    world.service(name, [{ name, paths: [`/${name}`] }], over);
  await world.load({
    services: [
      on('closed', { port: closed }),
      on('slow', { read_timeout: 100 }),
      on('unknown-name', { host: 'nobody.invalid' }),
      on('no-target', { host: 'empty.upstream' }),
      on('weightless', { host: 'weightless.upstream' }),
      on('off', { enabled: false }),
      world.service('all', [{ name: 'catch', paths: ['/catch'] }]),
    ],
    routes: [
      { name: 'no-service', paths: ['/no-service'] },
      { name: 'https-only', paths: ['/https-only'], protocols: ['https'] },
      ...[301, 302, 307, 308].map((code) => ({
        name: `redirect${code}`,
        paths: [`/redirect${code}`],
        protocols: ['https'],
        https_redirect_status_code: code,
      })),
    ],
    upstreams: [
      { name: 'empty.upstream' },
      { name: 'weightless.upstream', targets: [{ target: `127.0.0.1:${closed}`, weight: 0 }] },
    ],
    plugins: [{ name: 'cors', config: { origins: ['http://localhost:3000'], credentials: true } }],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const INVALID = 'An invalid response was received from the upstream server';
const NO_PEER = 'failure to get a peer from the ring-balancer';

/** Style E is JSON where the client says nothing of what it accepts, style N plain text. */
const SITUATIONS = [
  { path: '/nowhere', status: 404, message: 'no Route matched with those values', style: 'E', vector: 1 },
  { path: '/off', status: 404, message: 'no Route matched with those values', style: 'E' },
  { path: '/no-service', status: 503, message: 'no Service found with those values', style: 'E' },
  { path: '/https-only', status: 426, message: 'Please use HTTPS protocol', style: 'E' },
  { path: '/unknown-name', status: 503, message: 'name resolution failed', style: 'E', vector: 6 },
  { path: '/no-target', status: 503, message: NO_PEER, style: 'E', vector: 7 },
  { path: '/weightless', status: 503, message: NO_PEER, style: 'E', vector: 7 },
  { path: '/closed', status: 502, message: INVALID, style: 'N', isProxied: true, vector: 3 },
  {
    path: '/slow?script=slow',
    status: 504,
    message: 'The upstream server is timing out',
    style: 'N',
    isProxied: true,
    vector: 5,
  },
  { path: '/catch/%zz', status: 400, message: 'Bad request', style: 'N' },
  { path: '/catch', method: 'TRACE', status: 405, message: 'Method not allowed', style: 'N' },
  { path: `/catch/${'a'.repeat(9000)}`, status: 414, message: 'URI too long', style: 'N' },
  {
    path: '/catch',
    long: true,
    status: 400,
    message: 'Request header or cookie too large',
    style: 'N',
  },
].map((row) => ({
  vector: undefined,
  method: 'GET',
  isProxied: false,
  long: false,
  ...row,
  at: row.path.slice(0, 20),
}));

const BODIES = {
  json: (message: string, id: string) => `{\n  "message":"${message}",\n  "request_id":"${id}"\n}`,
  plain: (message: string, id: string) => `${message}\nrequest_id: ${id}\n`,
  xml: (message: string, id: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${message}</message>\n  <requestid>${id}</requestid>\n</error>\n`,
};
const TYPES = {
  json: 'application/json; charset=utf-8',
  plain: 'text/plain; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
  html: 'text/html; charset=utf-8',
};

describe.each(SITUATIONS)('$method $at: $status (vector: $vector)', (row) => {
  const { path, method, status, message, style, isProxied, long } = row;
  const ask = (headers: Record<string, string> = {}) =>
    world.ask(path, { method, headers: long ? { ...headers, 'x-long': 'a'.repeat(9000) } : headers });

  test('given no Accept, then the message in the form of its style', async () => {
    const answer = await ask();
    const form = style === 'E' ? 'json' : 'plain';
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe(TYPES[form]);
    expect(answer.headers['content-length']).toBe(`${answer.text.length}`);
    expect(answer.text).toBe(BODIES[form](message, `${answer.headers['x-kong-request-id']}`));
  });

  test('given Accept, then the form it asks for', async () => {
    for (const form of ['json', 'plain', 'xml'] as const) {
      const answer = await ask({ accept: TYPES[form].split(';')[0] ?? '' });
      expect(answer.headers['content-type']).toBe(TYPES[form]);
      expect(answer.text).toBe(BODIES[form](message, `${answer.headers['x-kong-request-id']}`));
    }
    const html = await ask({ accept: 'text/html' });
    expect(html.headers['content-type']).toBe(TYPES.html);
    expect(html.text).toContain(`<p>${message}.</p>`);
    expect(html.text).toContain(`<p>request_id: ${html.headers['x-kong-request-id']}</p>`);
  });

  test('given a Content-Type and no Accept, then only style N follows it', async () => {
    const answer = await ask({ 'content-type': 'application/xml; charset=x' });
    expect(answer.headers['content-type']).toBe(style === 'E' ? TYPES.json : TYPES.xml);
  });

  test(`then it ${isProxied ? 'counts as proxied' : 'is the gateway’s own'}`, async () => {
    const { headers } = await ask();
    expect(headers.server).toBe('kong/3.9.1');
    expect(headers.via).toBe(isProxied ? '1.1 kong/3.9.1' : undefined);
    for (const name of ['x-kong-upstream-latency', 'x-kong-proxy-latency'])
      expect(headers[name]).toEqual(isProxied ? expect.stringMatching(/^\d+$/) : undefined);
    expect(headers['x-kong-response-latency']).toEqual(
      isProxied ? undefined : expect.stringMatching(/^\d+$/),
    );
  });
});

test.each([
  { accept: 'text/html', form: 'html', vector: 2 },
  { accept: 'application/json', form: 'json', vector: 4 },
  { accept: '*/*', form: 'json' },
  { accept: 'application/*', form: 'json' },
  { accept: 'text/*', form: 'plain' },
  { accept: 'image/png', form: 'json' },
  { accept: 'text/xml', form: 'json' },
  { accept: 'text/html, application/xml', form: 'html' },
  { accept: 'application/xml, text/html', form: 'xml' },
  { accept: 'text/html;q=0.5, application/xml', form: 'xml' },
  { accept: 'text/html; q=0.5 , text/plain;q=0.6, */*;q=0.1', form: 'plain' },
  { accept: 'application/xml;q=0.9, text/html;q=0.9', form: 'xml' },
  { accept: 'text/html;level=1;q=0.4, application/json;q=0.3', form: 'html' },
  { accept: 'text/html;q=0', form: 'json' },
  { accept: 'text/html;charset=utf-8', form: 'html' },
  { accept: '', form: 'json' },
] as const)(
  'given Accept "$accept", then $form in both styles (vector: $vector)',
  async ({ accept, form }) => {
    for (const path of ['/nowhere', '/closed']) {
      const answer = await world.ask(path, { headers: { accept, 'content-type': 'text/plain' } });
      expect(answer.headers['content-type']).toBe(TYPES[form]);
    }
  },
);

test('given HEAD, then the head alone', async () => {
  for (const path of ['/nowhere', '/closed']) {
    const answer = await world.ask(path, { method: 'HEAD' });
    expect(answer.text).toBe('');
    expect(answer.headers['x-kong-request-id']).toMatch(/^\w{32}$/);
  }
});

test.each([
  { connection: 'keep-alive', answered: 'Upgrade' },
  { connection: 'close', answered: 'Upgrade, close' },
])(
  'given an https-only route, when asked over http with Connection $connection, then 426 tells how to go on',
  async ({ connection, answered }) => {
    const { status, headers } = await world.ask('/https-only', { headers: { connection } });
    expect(status).toBe(426);
    expect(headers).toMatchObject({ upgrade: 'TLS/1.2, HTTP/1.1', connection: answered });
  },
);

test.each([
  { code: 301, host: 'h.test', target: '/redirect301/a%2Fb//c?x=1&y=%zz', vector: 45 },
  { code: 302, host: 'h.test:8000', target: '/redirect302' },
  { code: 307, host: 'h.test', target: '/redirect307/../redirect307?' },
  { code: 308, host: 'h.test', target: '/redirect308/' },
])(
  'given an https-only route with $code, then Location is the same by https (vector: $vector)',
  async (row) => {
    const { code, host, target } = row;
    const answer = await world.ask(target, { headers: { host } });
    expect(answer).toMatchObject({ status: code, text: '' });
    expect(answer.headers.location).toBe(`https://h.test${target}`);
  },
);

test('given the absolute form of a target, then Location has its path alone', async () => {
  const head = 'GET http://h.test/redirect301/x?y HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n';
  const lines = splitRaw(await exchangeRaw(world.gateway.ready.proxy, head)).head;
  expect(lines).toContain('Location: https://h.test/redirect301/x?y');
});

test('given a global cors and no route, then its headers are on the 404 (vector: 28)', async () => {
  const answer = await world.ask('/nowhere', { headers: { origin: 'http://localhost:3000' } });
  expect(answer.status).toBe(404);
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': 'http://localhost:3000',
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  });
});

test.each([
  { what: 'no Host in HTTP/1.1', head: 'GET / HTTP/1.1\r\n\r\n' },
  { what: 'two Hosts', head: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n' },
  { what: 'a bad Host', head: 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n' },
  { what: 'no HTTP', head: 'hello\r\n\r\n' },
  { what: 'a line without colon', head: 'GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n' },
  { what: 'a bad Content-Length', head: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n' },
  {
    what: 'both lengths',
    head: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
])('given $what, then 400 Bad request and the connection ends', async ({ head }) => {
  const { head: lines, body } = splitRaw(await exchangeRaw(world.gateway.ready.proxy, head));
  expect(lines[0]).toMatch(/^HTTP\/1\.1 400 /);
  expect(lines).toEqual(expect.arrayContaining(['Connection: close', 'Server: kong/3.9.1']));
  expect(body).toMatch(/^Bad request\nrequest_id: \w{32}\n$/);
});

test('given a head larger than 32 KiB, then 400 Request header or cookie too large', async () => {
  const head = `GET / HTTP/1.1\r\nHost: a\r\n${`X-Filler: ${'a'.repeat(4000)}\r\n`.repeat(10)}\r\n`;
  const { head: lines, body } = splitRaw(await exchangeRaw(world.gateway.ready.proxy, head));
  expect(lines[0]).toMatch(/^HTTP\/1\.1 400 /);
  expect(body).toMatch(/^Request header or cookie too large\nrequest_id: \w{32}\n$/);
});

import http2 from 'node:http2';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { issueCertificate } from '@sluice/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Seen } from './echo-upstream.ts';
import { routesNamed } from './routes.ts';
import { type Document, World } from './world.ts';

/** Kong's answer to gRPC clients for each status of HTTP; 2 is "unknown". */
const GRPC_STATUS = [
  [400, '3'],
  [401, '16'],
  [403, '7'],
  [404, '5'],
  [418, '2'],
  [429, '8'],
  [500, '13'],
  [503, '14'],
  [504, '4'],
] as const;
const NAMES = ['exact.test', '*.wild.test', 'right.*', '*'] as const;

let world: World;
beforeAll(async () => {
  world = await World.start({}, ['--tls-port', '0']);
  const { services } = routesNamed(world, {
    sni: { snis: ['exact.test'], paths: ['/sni'] },
    wildcard: { snis: ['*.wild.test'], paths: ['/sni'] },
    right: { snis: ['right.*'], paths: ['/sni'] },
    alone: { snis: ['alone.test'] },
    https: { protocols: ['https'], paths: ['/https'] },
    http: { protocols: ['http'], paths: ['/http'] },
    both: { paths: ['/both'] },
    ranked: { paths: ['/ranked'] },
    'ranked-sni': { snis: ['exact.test'], paths: ['/r'] },
    grpc: { protocols: ['grpc', 'grpcs'], paths: ['/package.Service'] },
    ...Object.fromEntries(
      GRPC_STATUS.map(([status]) => [
        `grpc${status}`,
        {
          paths: [`/grpc${status}`],
          plugins: [{ name: 'ip-restriction', config: { deny: ['::/0', '0.0.0.0/0'], status } }],
        },
      ]),
    ),
  }) as { services: Document[] };
  const certificates = NAMES.map((name) => {
    const { cert, key } = issueCertificate(name.replaceAll('*', 'any'));
    return { cert, key, snis: [{ name }] };
  });
  await world.load({ services, certificates });
});
afterAll(() => world[Symbol.asyncDispose]());

interface Told {
  readonly status: number;
  readonly text: string;
  readonly shown: string;
}

/** A request by TLS that names `servername`; without one the handshake names nobody. */
const ask = (path: string, servername: string, headers: Record<string, string> = {}): Promise<Told> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(world.gateway.ready.proxyTls ?? '');
    const host = { host: 'host.test', ...headers };
    const options = {
      hostname,
      port,
      path,
      servername,
      headers: host,
      rejectUnauthorized: false,
      agent: false,
    };
    request(options, (answer) => {
      let text = '';
      const shown = `${(answer.socket as TLSSocket).getPeerCertificate().subject.CN}`;
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text, shown }));
    })
      .once('error', reject)
      .end();
  });

const takenBy = ({ status, text }: Told): string | number =>
  status === 200 ? ((JSON.parse(text) as Seen).url.split('/')[1] ?? '') : status;

test.each([
  { path: '/sni', sni: 'exact.test', route: 'sni' },
  { path: '/sni', sni: 'EXACT.test', route: 'sni' },
  { path: '/sni', sni: 'a.wild.test', route: 'wildcard' },
  { path: '/sni', sni: 'a.b.wild.test', route: 'wildcard' },
  { path: '/sni', sni: 'right.org', route: 'right' },
  { path: '/sni', sni: 'other.test', route: 404 },
  { path: '/sni', sni: '', route: 404 },
  { path: '/anything', sni: 'alone.test', route: 'alone' },
  { path: '/ranked', sni: 'exact.test', route: 'ranked-sni' },
  { path: '/ranked', sni: 'other.test', route: 'ranked' },
])('given snis, when asked for $path as "$sni", then $route', async ({ path, sni, route }) => {
  expect(takenBy(await ask(path, sni))).toBe(route);
});

test.each([
  { path: '/https', route: 'https' },
  { path: '/http', route: 'http' },
  { path: '/both', route: 'both' },
])('given a route of any of http and https, when asked for $path by TLS, then $route', async (row) => {
  expect(takenBy(await ask(row.path, 'other.test'))).toBe(row.route);
});

test.each([
  { path: '/both', status: 200 },
  { path: '/http', status: 200 },
  { path: '/https', status: 426 },
])('when asked for $path without TLS, then $status', async ({ path, status }) => {
  expect((await world.ask(path)).status).toBe(status);
});

test.each([
  { sni: 'exact.test', shown: 'exact.test' },
  { sni: 'a.wild.test', shown: 'any.wild.test' },
  { sni: 'right.org', shown: 'right.any' },
  { sni: 'other.test', shown: 'any' },
  { sni: '', shown: 'any' },
])('given certificates, when asked as "$sni", then that of $shown is shown', async ({ sni, shown }) => {
  expect((await ask('/both', sni)).shown).toBe(shown);
});

test('given a request by TLS, then the upstream is told https and the TLS port', async () => {
  const { headers } = JSON.parse((await ask('/both', 'other.test')).text) as Seen;
  const { port } = new URL(world.gateway.ready.proxyTls ?? '');
  expect(headers).toMatchObject({
    'x-forwarded-proto': 'https',
    'x-forwarded-port': port,
    via: '1.1 kong/3.9.1',
  });
});

const askHttp2 = (headers: http2.OutgoingHttpHeaders) =>
  new Promise<{ head: http2.IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const session = http2.connect(world.gateway.ready.proxyTls ?? '', { rejectUnauthorized: false });
    const stream = session.request({ ':authority': 'host.test', ...headers });
    let head: http2.IncomingHttpHeaders = {};
    let text = '';
    stream.once('response', (received) => {
      head = received;
    });
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.once('error', reject);
    stream.once('close', () => {
      session.close();
      resolve({ head, text });
    });
    stream.end();
  });

describe('HTTP/2', () => {
  test('given a route, then the upstream is told of it in Via, and the client has the lines of the gateway', async () => {
    const { head, text } = await askHttp2({ ':path': '/both/x?y=1' });
    const seen = JSON.parse(text) as Seen;
    expect(seen).toMatchObject({ url: '/both/both/x?y=1', httpVersion: '1.1' });
    expect(seen.headers).toMatchObject({ via: '2 kong/3.9.1', 'x-forwarded-host': 'host.test' });
    expect(head[':status']).toBe(200);
    expect(head.via).toBe('1.1 kong/3.9.1');
    expect(head['x-kong-request-id']).toBe(seen.headers['x-kong-request-id']);
  });

  test('given no route, then 404 in its usual form', async () => {
    const { head, text } = await askHttp2({ ':path': '/nowhere' });
    expect(head[':status']).toBe(404);
    expect(text).toBe(
      `{\n  "message":"no Route matched with those values",\n  "request_id":"${head['x-kong-request-id']}"\n}`,
    );
  });

  test('given a gRPC request that is refused, then gRPC’s status and message in place of a body', async () => {
    const { head, text } = await askHttp2({ ':path': '/nowhere', 'content-type': 'application/grpc' });
    expect(head).toMatchObject({
      ':status': 404,
      'content-type': 'application/grpc',
      'grpc-status': '5',
      'grpc-message': 'no Route matched with those values',
    });
    expect(text).toBe('');
  });

  test.each(GRPC_STATUS)(
    'given a gRPC request that is refused with %s, then grpc-status %s',
    async (status, grpc) => {
      const { head, text } = await askHttp2({
        ':path': `/grpc${status}`,
        'content-type': 'application/grpc+proto',
      });
      expect(head).toMatchObject({ ':status': status, 'grpc-status': grpc });
      expect(head['grpc-message']).toMatch(/^IP address not allowed: /);
      expect(text).toBe('');
    },
  );

  test('given a grpc route, when the request is none, then 415', async () => {
    const { head, text } = await askHttp2({ ':path': '/package.Service/Method' });
    expect(head[':status']).toBe(415);
    expect(text).toContain('"message":"Non-gRPC request matched gRPC route"');
  });
});

test('given a grpc route, when asked by HTTP/1.1, then 426 for a gRPC request and 415 for another', async () => {
  const headers = { 'content-type': 'application/grpc', connection: 'keep-alive' };
  const answer = await world.ask('/package.Service/Method', { headers });
  expect(answer.status).toBe(426);
  expect(answer.json().message).toBe('Please use HTTP2 protocol');
  expect(answer.headers).toMatchObject({ connection: 'Upgrade', upgrade: 'HTTP/2' });
  expect((await world.ask('/package.Service/Method')).status).toBe(415);
});

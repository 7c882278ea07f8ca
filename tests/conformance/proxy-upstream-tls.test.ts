import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { issueCertificate } from '@sluice/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Document, World } from './world.ts';

/* https to upstreams: who they have to be, who the gateway says it is (kong-compat 2.1, 3.1). */

const root = issueCertificate('root', { isAuthority: true });
const middle = issueCertificate('middle', { isAuthority: true, issuer: root });
const leaf = issueCertificate('localhost', { issuer: middle });
const stranger = issueCertificate('stranger', { isAuthority: true });
const client = issueCertificate('the-gateway', { issuer: root });
const TRUSTED = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const CLIENT = '33333333-3333-4333-8333-333333333333';

/** Says whom it was taken for and who came. */
const tell = (request: IncomingMessage, response: ServerResponse): void => {
  const socket = request.socket as TLSSocket;
  const { host, via } = request.headers;
  const told = {
    host,
    via,
    proto: request.headers['x-forwarded-proto'],
    sni: socket.servername || null,
    client: socket.getPeerCertificate().subject?.CN ?? null,
  };
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify(told));
};
const start = async (options: TlsOptions): Promise<https.Server> => {
  const server = https.createServer(options, tell);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
};
const portOf = (server: https.Server): number => (server.address() as AddressInfo).port;

let world: World;
let secure: https.Server;
beforeAll(async () => {
  [world, secure] = await Promise.all([
    World.shared(),
    start({
      key: leaf.key,
      cert: leaf.cert + middle.cert,
      ca: root.cert,
      requestCert: true,
      rejectUnauthorized: false,
    }),
  ]);
  const port = portOf(secure);
  const to = (name: string, over: Document = {}) =>
    world.service(name, [{ name, paths: [`/${name}`] }], {
      protocol: 'https',
      host: 'localhost',
      port,
      ...over,
    });
  const verified = (name: string, over: Document) => to(name, { tls_verify: true, ...over });
  await world.load({
    ca_certificates: [
      { id: TRUSTED, cert: root.cert },
      { id: OTHER, cert: stranger.cert },
    ],
    certificates: [{ id: CLIENT, cert: client.cert, key: client.key }],
    services: [
      to('plain'),
      to('by-address', { host: '127.0.0.1' }),
      to('off', { tls_verify: false }),
      verified('unknown', {}),
      verified('trusted', { ca_certificates: [TRUSTED] }),
      verified('several', { ca_certificates: [OTHER, TRUSTED] }),
      verified('stranger', { ca_certificates: [OTHER] }),
      verified('shallow', { ca_certificates: [TRUSTED], tls_verify_depth: 0 }),
      verified('deep-enough', { ca_certificates: [TRUSTED], tls_verify_depth: 1 }),
      verified('other-name', { ca_certificates: [TRUSTED], host: '127.0.0.1' }),
      to('shown', { client_certificate: { id: CLIENT } }),
      to('entity', { host: 'secure.upstream', port: 1 }),
      to('entity-shown', { host: 'shown.upstream', port: 1 }),
    ],
    upstreams: [
      { name: 'secure.upstream', host_header: 'other.test', targets: [{ target: `localhost:${port}` }] },
      {
        name: 'shown.upstream',
        client_certificate: { id: CLIENT },
        targets: [{ target: `localhost:${port}` }],
      },
    ],
  });
});
afterAll(async () => {
  secure.closeAllConnections();
  secure.close();
  await world[Symbol.asyncDispose]();
});

interface Told {
  readonly host: string;
  readonly sni: string | null;
  readonly client: string | null;
}
const told = async (path: string): Promise<Told> => {
  const answer = await world.ask(path);
  expect(answer.status, answer.text).toBe(200);
  return answer.json<Told & Record<string, unknown>>();
};

test('given protocol https, then the upstream is reached by TLS, under its name, and told the client’s scheme', async () => {
  expect(await told('/plain')).toEqual({
    host: `localhost:${portOf(secure)}`,
    via: '1.1 kong/3.9.1',
    proto: 'http',
    sni: 'localhost',
    client: null,
  });
});

test('given an address for a host, then no name is asked for', async () => {
  expect(await told('/by-address')).toMatchObject({ host: `127.0.0.1:${portOf(secure)}`, sni: null });
});

test.each([
  { field: 'tls_verify', given: 'nothing', path: '/plain', status: 200 },
  { field: 'tls_verify', given: 'false', path: '/off', status: 200 },
  { field: 'tls_verify', given: 'true, and an authority that nobody knows', path: '/unknown', status: 502 },
  { field: 'tls_verify', given: 'true, and another name', path: '/other-name', status: 502 },
  { field: 'ca_certificates', given: 'its authority', path: '/trusted', status: 200 },
  { field: 'ca_certificates', given: 'its authority among others', path: '/several', status: 200 },
  { field: 'ca_certificates', given: 'another authority', path: '/stranger', status: 502 },
  { field: 'tls_verify_depth', given: '0, and one certificate between', path: '/shallow', status: 502 },
  { field: 'tls_verify_depth', given: '1, and one certificate between', path: '/deep-enough', status: 200 },
])('$field: given $given, then $status', async ({ path, status }) => {
  const answer = await world.ask(path);
  expect(answer.status).toBe(status);
  if (status === 502)
    expect(answer.text).toMatch(/^An invalid response was received from the upstream server\n/);
});

test.each(['/shown', '/entity-shown'])(
  'client_certificate: given one at %s, then the upstream is shown it',
  async (path) => {
    expect(await told(path)).toMatchObject({ client: 'the-gateway' });
  },
);

test('given an upstream entity with a host_header, then that is the Host', async () => {
  expect(await told('/entity')).toMatchObject({ host: 'other.test' });
});

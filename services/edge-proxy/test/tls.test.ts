import https from 'node:https';
import { connect } from 'node:net';
import tls from 'node:tls';
import type { Sni } from '@sluice/gateway-config';
import { type Issuer, issueCertificate } from '@sluice/service-kit';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, type Echo, EdgeWorld, idOf, route, service, stored, Upstream } from './edge-world.ts';
import { certificate, type Got, shownFor, TLS, throughTo, tlsPort } from './tls-world.ts';

const sni = (name: string, { name: shown }: Issuer): Sni => ({
  ...stored,
  id: idOf(`sni ${name}`),
  name,
  certificate: { id: idOf(shown) },
});

const getHttps = (port: number, path: string, servername = '', headers = {}): Promise<Got> =>
  new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      servername,
      headers,
      rejectUnauthorized: false,
      agent: false,
    };
    const request = https.get(options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    request.once('error', reject);
  });

test('given no certificates, when a client connects, then the built-in one is shown and requests are served', async () => {
  await using upstream = await Upstream.start();
  await using world = await EdgeWorld.start(throughTo(upstream), TLS);
  const port = tlsPort(world);
  expect(await shownFor(port, 'any.test')).toBe('localhost');
  const { headers } = JSON.parse((await getHttps(port, '/x?a=1')).text) as Echo;
  expect(headers['x-forwarded-proto']).toBe('https');
  expect(headers['x-forwarded-port']).toBe(`${port}`);
  expect(headers['x-forwarded-path']).toBe('/x');
});

test('given certificates, then exact name wins over wildcard, wildcard over `*`; a change is shown at once', async () => {
  const [exact, wild, suffix, any] = ['exact', 'wild', 'suffix', 'any'].map((name) => issueCertificate(name));
  if (!exact || !wild || !suffix || !any) throw new Error('unreachable');
  const certificates = [exact, wild, suffix, any].map(certificate);
  const snis = [sni('a.x.test', exact), sni('*.x.test', wild), sni('api.*', suffix), sni('*', any)];
  await using world = await EdgeWorld.start({ certificates, snis }, TLS);
  const port = tlsPort(world);
  expect(await shownFor(port, 'A.x.test')).toBe('exact');
  expect(await shownFor(port, 'b.x.test')).toBe('wild');
  expect(await shownFor(port, 'api.com')).toBe('suffix');
  expect(await shownFor(port, 'other')).toBe('any');
  expect(await shownFor(port, '')).toBe('any');
  await world.commit({ certificates, snis: [sni('a.x.test', wild)] });
  expect(await shownFor(port, 'a.x.test')).toBe('wild');
  expect(await shownFor(port, '')).toBe('localhost');
});

test('given a client that speaks only TLS 1.1, then there is no connection', async () => {
  await using world = await EdgeWorld.start({}, TLS);
  const old = tls.connect({
    port: tlsPort(world),
    host: '127.0.0.1',
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
    rejectUnauthorized: false,
  });
  const failure = await new Promise((resolve) => {
    old.once('error', resolve);
    old.once('secureConnect', () => resolve(undefined));
  });
  old.destroy();
  expect(failure).toBeInstanceOf(Error);
});

test('given an https-only route, then http gets the redirect and https the upstream; snis decide among routes', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  const only = route('only', to, { protocols: ['https'], https_redirect_status_code: 301 });
  const named = route('named', to, { snis: ['n.test'], paths: ['/n'], strip_path: true });
  await using world = await EdgeWorld.start({ services: [to], routes: [only, named] }, TLS);
  const plain = await fetch(`http://127.0.0.1:${world.port}/a?b=1`, { redirect: 'manual' });
  expect(plain.status).toBe(301);
  expect(plain.headers.get('location')).toBe('https://127.0.0.1/a?b=1');
  const port = tlsPort(world);
  expect((await getHttps(port, '/a')).status).toBe(200);
  const urlFor = async (servername: string) =>
    (JSON.parse((await getHttps(port, '/n/z', servername)).text) as Echo).url;
  expect(await urlFor('n.test')).toBe('/z');
  expect(await urlFor('m.test')).toBe('/n/z');
});

test('given an https-only route behind a trusted proxy that speaks TLS to clients, then there is no redirect', async () => {
  await using upstream = await Upstream.start();
  await using world = await EdgeWorld.start(throughTo(upstream, { protocols: ['https'] }), {
    TRUSTED_IPS: '127.0.0.1',
  });
  const ask = (proto: string) =>
    fetch(`http://127.0.0.1:${world.port}/`, { headers: { 'x-forwarded-proto': proto } });
  expect((await ask('https')).status).toBe(200);
  expect((await ask('http')).status).toBe(426);
});

test('given more connections to the TLS port than there may be, then the others are closed at once and counted', async () => {
  await using world = await EdgeWorld.start({}, { ...TLS, MAX_CONNECTIONS: '20' });
  const open = Array.from({ length: 60 }, () =>
    connect(tlsPort(world), '127.0.0.1').on('error', () => undefined),
  );
  await eventually(() => expect(open.filter((socket) => socket.closed).length).toBe(40));
  const { text } = await call(world.edges[0]?.ports.status ?? 0, '/metrics');
  expect(text).toMatch(/^sluice_client_connections_dropped_total(\{\})? 40$/m);
  for (const socket of open) socket.destroy();
  await eventually(async () => expect(await shownFor(tlsPort(world), '')).toBe('localhost'));
});

test('given a WebSocket over TLS, then both ends are joined', async () => {
  await using upstream = await Upstream.start();
  upstream.server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  await using world = await EdgeWorld.start(throughTo(upstream), TLS);
  const client = tls.connect({ port: tlsPort(world), host: '127.0.0.1', rejectUnauthorized: false });
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nping');
  let text = '';
  client.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await eventually(() => expect(text).toMatch(/^HTTP\/1\.1 101 [\s\S]*ping$/));
  client.destroy();
});

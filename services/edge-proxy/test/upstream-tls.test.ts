import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type tls from 'node:tls';
import { type Issuer, issueCertificate } from '@sluice/service-kit';
import { describe, expect, test } from 'vitest';
import { EdgeWorld, ENGINES, type Entities, forwardBy, idOf, route, service, stored } from './edge-world.ts';
import { certificate } from './tls-world.ts';

/** An https upstream that says who called it. */
const startSecure = async (options: tls.TlsOptions) => {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const socket = request.socket as tls.TLSSocket;
    response.setHeader('x-client', socket.getPeerCertificate()?.subject?.CN ?? 'none');
    response.end(`${socket.servername}`);
  };
  const server = https.createServer(options, answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
};

const authority = (name: string, { cert }: Issuer) => ({
  ...stored,
  id: idOf(name),
  cert,
  cert_digest: new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase(),
});

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given tls_verify with ca_certificates, then only an upstream of that authority and within the depth is believed', async () => {
    const root = issueCertificate('root', { isAuthority: true });
    const middle = issueCertificate('middle', { isAuthority: true, issuer: root });
    const leaf = issueCertificate('api.test', { issuer: middle });
    await using upstream = await startSecure({ key: leaf.key, cert: leaf.cert + middle.cert });
    const trusted = authority('root', root);
    const other = authority('other', issueCertificate('other', { isAuthority: true }));
    const to = (over: Parameters<typeof service>[2]) =>
      service('up', `https://api.test:${upstream.port}`, { tls_verify: true, ...over });
    const config = (over: Parameters<typeof service>[2]): Entities => ({
      ca_certificates: [trusted, other],
      services: [to(over)],
      routes: [route('all', to(over))],
    });
    const connectTo = { CONNECT_TO: `api.test:${upstream.port}=127.0.0.1:${upstream.port}` };
    await using world = await EdgeWorld.start(config({ ca_certificates: [trusted.id] }), connectTo);
    const ask = async () => {
      const answer = await fetch(`http://127.0.0.1:${world.port}/`);
      return [answer.status, answer.status === 200 ? await answer.text() : ''];
    };
    expect(await ask()).toEqual([200, 'api.test']);
    await world.commit(config({ ca_certificates: [other.id] }));
    expect((await ask())[0]).toBe(502);
    await world.commit(config({ ca_certificates: [trusted.id], tls_verify_depth: 0 }));
    expect((await ask())[0]).toBe(502);
    await world.commit(config({ ca_certificates: [trusted.id], tls_verify_depth: 1 }));
    expect((await ask())[0]).toBe(200);
    await world.commit(config({}));
    expect((await ask())[0]).toBe(502);
    await world.commit(config({ tls_verify: false }));
    expect((await ask())[0]).toBe(200);
  });

  test('given client_certificate on the service, then the upstream is shown it', async () => {
    const root = issueCertificate('root', { isAuthority: true });
    const server = issueCertificate('api.test');
    const client = issueCertificate('the-edge', { issuer: root });
    await using upstream = await startSecure({ ...server, ca: root.cert, requestCert: true });
    const to = service('up', `https://127.0.0.1:${upstream.port}`, {
      client_certificate: { id: idOf('the-edge') },
    });
    await using world = await EdgeWorld.start({
      certificates: [certificate(client)],
      services: [to],
      routes: [route('all', to)],
    });
    const answer = await fetch(`http://127.0.0.1:${world.port}/?`);
    expect(answer.headers.get('x-client')).toBe('the-edge');
  });
});

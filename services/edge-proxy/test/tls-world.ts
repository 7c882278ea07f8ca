import tls from 'node:tls';
import type { Certificate } from '@sluice/gateway-config';
import type { Issuer } from '@sluice/service-kit';
import { type EdgeWorld, type Entities, idOf, route, service, stored, type Upstream } from './edge-world.ts';

export const TLS = { TLS_PORT: '0' };

export const tlsPort = (world: EdgeWorld): number => {
  const port = world.edges[0]?.ports.tls;
  if (port === undefined) throw new Error('the edge has no TLS port');
  return port;
};

export const certificate = ({ name, cert, key }: Issuer): Certificate => ({
  ...stored,
  id: idOf(name),
  cert,
  key,
  cert_alt: null,
  key_alt: null,
});
export const throughTo = (upstream: Upstream, over: Parameters<typeof route>[2] = {}): Entities => {
  const to = service('up', upstream.url);
  return { services: [to], routes: [route('all', to, over)] };
};

/** The common name of the certificate that is shown for a server name. */
export const shownFor = (port: number, servername: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      resolve(`${socket.getPeerCertificate().subject.CN}`);
      socket.destroy();
    });
    socket.once('error', reject);
  });

export interface Got {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

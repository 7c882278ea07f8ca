import http from 'node:http';
import https from 'node:https';
import { connect, isIP } from 'node:net';
import type { HealthcheckActive } from '@sluice/gateway-config';
import type { Peer } from '../balancing/peer.ts';
import { bracketed } from '../target.ts';
import type { Outcome } from './health-counters.ts';

/** What the edge shows of itself where a target asks for a certificate, PEM. */
export interface ClientPair {
  readonly cert: string | string[];
  readonly key: string | string[];
}

type ProbedPeer = Pick<Peer, 'host' | 'address' | 'port'>;

/** Asks one address how it is. Never rejects: whatever goes wrong is an outcome. */
export const probe = (
  peer: ProbedPeer,
  active: HealthcheckActive,
  client: ClientPair | undefined,
): Promise<Outcome> => {
  const timeoutMs = (active.timeout || 1) * 1000;
  // A gRPC health service is not asked; that its port accepts connections is what can be said.
  return active.type === 'http' || active.type === 'https'
    ? probeHttp(peer, active, client, timeoutMs)
    : probeTcp(peer, timeoutMs);
};

const probeTcp = ({ address, port }: ProbedPeer, timeoutMs: number): Promise<Outcome> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const settle = (outcome: Outcome) => {
      resolve(outcome);
      socket.destroy();
    };
    socket.once('connect', () => settle({ kind: 'connected' }));
    socket.once('timeout', () => settle({ kind: 'timeout' }));
    socket.on('error', () => settle({ kind: 'tcp-failure' }));
  });

const probeHttp = (
  { host, address, port }: ProbedPeer,
  active: HealthcheckActive,
  client: ClientPair | undefined,
  timeoutMs: number,
): Promise<Outcome> =>
  new Promise((resolve) => {
    const sni = active.https_sni ?? (isIP(host) === 0 ? host : undefined);
    const request = (active.type === 'https' ? https : http).request({
      host: address,
      port,
      path: active.http_path,
      agent: false,
      headers: { host: `${bracketed(host)}:${port}`, 'user-agent': 'sluice-healthcheck', ...active.headers },
      rejectUnauthorized: active.https_verify_certificate,
      ...(sni === undefined ? {} : { servername: sni }),
      ...client,
    });
    let hasTimedOut = false;
    const deadline = setTimeout(() => {
      hasTimedOut = true;
      request.destroy();
    }, timeoutMs);
    request.once('response', (response) => {
      resolve({ kind: 'status', status: response.statusCode ?? 0 });
      request.destroy();
    });
    request.on('error', () => resolve({ kind: hasTimedOut ? 'timeout' : 'tcp-failure' }));
    request.once('close', () => clearTimeout(deadline));
    request.end();
  });

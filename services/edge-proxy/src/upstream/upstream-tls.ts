import type http from 'node:http';
import https from 'node:https';
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import { KEEP_ALIVE, keepingNone } from './agents.ts';
import type { ClientPair } from './health/probe.ts';

/** Connections to the targets of one service, which trusts and shows what the service says. */
export interface UpstreamTls {
  readonly pool: http.Agent;
  readonly fresh: http.Agent;
  /** The same as request options, for connections that are not pooled. */
  readonly options: https.AgentOptions;
}

export interface UpstreamTrust {
  readonly client: ClientPair | undefined;
  /** PEM; undefined: those Node ships with. */
  readonly authorities: readonly string[] | undefined;
  readonly isVerified: boolean;
  /** Most certificates between the target's own and the trusted one; null: as many as it takes. */
  readonly maxDepth: number | null;
}

export const openUpstreamTls = ({
  client,
  authorities,
  isVerified,
  maxDepth,
}: UpstreamTrust): UpstreamTls => {
  const options: https.AgentOptions = {
    ...client,
    ...(authorities === undefined ? {} : { ca: [...authorities] }),
    rejectUnauthorized: isVerified,
    ...(maxDepth === null ? {} : { checkServerIdentity: within(maxDepth) }),
  };
  return {
    pool: new https.Agent({ ...KEEP_ALIVE, ...options }),
    fresh: keepingNone(new https.Agent({ keepAlive: true, ...options })),
    options,
  };
};

/** Node knows no depth: the chain is counted where the name is checked, once the chain itself was found good. */
const within =
  (maxDepth: number) =>
  (host: string, leaf: PeerCertificate): Error | undefined => {
    let between = -1; // the trusted one itself does not count
    let at: DetailedPeerCertificate | undefined = leaf as DetailedPeerCertificate;
    while (at.issuerCertificate !== undefined && at.issuerCertificate !== at) {
      at = at.issuerCertificate;
      between += 1;
    }
    return between > maxDepth
      ? new Error(`certificate chain has ${between} certificates in between, tls_verify_depth is ${maxDepth}`)
      : checkServerIdentity(host, leaf);
  };

import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { clientAddress, plainAddress, type TrustedPeers } from '../client-address.ts';
import type { ProxyExchange } from '../exchange.ts';

const MAX_CREDENTIALS = 10_000;
/** A longer credential is not remembered, in characters. */
const MAX_CREDENTIAL_LENGTH = 8192;

/** How trusted peers name clients. */
interface ClientNaming {
  readonly trustedPeers: TrustedPeers;
  readonly realIpHeader: string;
  readonly passedOver?: TrustedPeers | undefined;
}

/**
 * Whose request it is, before anybody has looked at it: the tenant whose credential auth has verified, else the
 * address it comes from. A forged credential is nobody's, so a flood of new ones shares the place of its address.
 */
export class Callers {
  readonly #tenantOf = new LRUCache<string, string>({ max: MAX_CREDENTIALS });
  readonly #trusted: TrustedPeers;
  readonly #realIpHeader: string;
  readonly #passedOver: TrustedPeers | undefined;

  constructor({ trustedPeers, realIpHeader, passedOver }: ClientNaming) {
    this.#trusted = trustedPeers;
    this.#realIpHeader = realIpHeader;
    this.#passedOver = passedOver;
  }

  /** A name to count by. */
  of(request: IncomingMessage): string {
    const credential = credentialOf(request);
    const tenant = credential === undefined ? undefined : this.#tenantOf.get(credential);
    if (tenant !== undefined) return tenant;
    const peer = plainAddress(request.socket.remoteAddress);
    const named = request.headers[this.#realIpHeader];
    const first = Array.isArray(named) ? named[0] : named;
    return clientAddress(peer, this.#trusted.includes(peer), first, this.#passedOver);
  }

  /** Remembers whose credential it was; the exchange has passed the chain. */
  learn({ request, identity }: ProxyExchange): void {
    const tenant = identity?.tenantId ?? identity?.consumer?.id;
    const credential = tenant === undefined ? undefined : credentialOf(request);
    if (tenant === undefined || credential === undefined) return;
    if (credential.length <= MAX_CREDENTIAL_LENGTH) this.#tenantOf.set(credential, `tenant ${tenant}`);
  }
}

/** Kong's default places of a credential. */
const credentialOf = ({ headers }: IncomingMessage): string | undefined =>
  headers.authorization ?? (headers.apikey as string | undefined);

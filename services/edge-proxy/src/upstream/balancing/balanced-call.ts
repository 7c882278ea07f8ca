import type { Duplex } from 'node:stream';
import type { ProxyExchange } from '../../exchange.ts';
import type { IncomingAnswer } from '../engines/engine.ts';
import { hostHeaderFor, type Target } from '../target.ts';
import type { Balancer } from './balancer.ts';
import { type HashKey, hashKeyFor } from './hash-key.ts';
import type { Peer } from './peer.ts';

/** Whose fault it is that an attempt brought no answer. */
export type Blame = 'client' | 'timeout' | 'target';

const NO_KEY: HashKey = { key: '', setCookie: undefined };

/**
 * One request's way through a balancer: where each attempt goes and what its outcome says about the peer. As in
 * Kong an attempt that is repeated counts as a TCP failure (or timeout), and the last one by the status that the
 * client sees, be it the upstream's or the gateway's own 502.
 */
export class BalancedCall {
  readonly #balancer: Balancer;
  readonly #key: HashKey;
  readonly #tried = new Set<Peer>();
  #peer: Peer | undefined;
  #sentAt = 0;

  constructor(balancer: Balancer, exchange: ProxyExchange) {
    this.#balancer = balancer;
    exchange.isBalanced = true;
    const { upstream } = balancer;
    this.#key = upstream.algorithm === 'consistent-hashing' ? hashKeyFor(exchange, upstream) : NO_KEY;
  }

  /** Where the next attempt goes; undefined when no peer is left. */
  next(protocol: Target['protocol']): Target | undefined {
    const peer = this.#balancer.pick({ key: this.#key.key, tried: this.#tried });
    if (peer === undefined) return undefined;
    this.#peer = peer;
    this.#tried.add(peer);
    const known = peer.made.get(protocol);
    if (known !== undefined) return known;
    const hostHeader = this.#balancer.upstream.host_header ?? hostHeaderFor(protocol, peer.host, peer.port);
    const { address: host, port, target: label } = peer;
    const target: Target = { protocol, host, port, address: `${host}:${port}`, hostHeader, label };
    peer.made.set(protocol, target);
    return target;
  }

  /** An attempt starts. */
  sent(): void {
    if (this.#peer === undefined) return;
    this.#peer.connections += 1;
    this.#sentAt = performance.now();
  }

  /** The attempt brought an answer; the peer is busy with it until it is read or given up. */
  answered(answer: IncomingAnswer): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    this.#balancer.noteLatency(peer, performance.now() - this.#sentAt);
    answer.whenClosed(() => {
      peer.connections -= 1;
    });
    this.#reportStatus(answer.status);
    this.#addCookie(answer);
  }

  /** The attempt brought no answer; `isLast` when none follows. */
  failed(blame: Blame, isLast: boolean): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    peer.connections -= 1;
    if (blame === 'client') return;
    if (blame === 'timeout') this.#balancer.noteLatency(peer, performance.now() - this.#sentAt);
    if (isLast) this.#reportStatus(blame === 'timeout' ? 504 : 502);
    else this.#balancer.report(peer, { kind: blame === 'timeout' ? 'timeout' : 'tcp-failure' }, 'passive');
  }

  /** The attempt counts for nothing; the same peer is tried again. */
  abandoned(): void {
    if (this.#peer !== undefined) this.#peer.connections -= 1;
  }

  /** The two connections of a handshake were joined; `upstream` is the far one. */
  joined(answer: Pick<IncomingAnswer, 'rawHeaders'>, upstream: Duplex): void {
    const peer = this.#peer;
    this.#addCookie(answer);
    upstream.once('close', () => {
      if (peer !== undefined) peer.connections -= 1;
    });
    this.#reportStatus(101);
  }

  /** The cookie for an answer in the gateway's own name. */
  get setCookie(): string | undefined {
    return this.#key.setCookie;
  }

  /** Beside the upstream's own cookies, not in their place. */
  #addCookie({ rawHeaders }: Pick<IncomingAnswer, 'rawHeaders'>): void {
    if (this.#key.setCookie !== undefined) rawHeaders.push('Set-Cookie', this.#key.setCookie);
  }

  #reportStatus(status: number): void {
    if (this.#peer === undefined) return;
    const outcome = status === 504 ? ({ kind: 'timeout' } as const) : ({ kind: 'status', status } as const);
    this.#balancer.report(this.#peer, outcome, 'passive');
  }
}

import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Target } from '../target.ts';
import { Connection, type Peer } from './connection.ts';

/** Idle connections kept for one target; more are closed. */
const MAX_IDLE = 512;

/** All connections of this process that undici carries, idle or not. */
const open = new Set<Connection>();

/** Connections to one target. Any number may be open: long streams leave room for everybody. */
class TargetPool {
  readonly #peer: Peer;
  readonly #idle: Connection[] = [];
  readonly #whenEmpty: () => void;
  #connections = 0;

  constructor(peer: Peer, whenEmpty: () => void) {
    this.#peer = peer;
    this.#whenEmpty = whenEmpty;
  }

  /** The connection that was used last, still warm, or a new one. */
  take(isFresh: boolean): Connection {
    const idle = isFresh ? undefined : this.#idle.pop();
    if (idle !== undefined) return idle;
    const connection = new Connection(this.#peer, {
      free: (freed) => {
        if (this.#idle.length < MAX_IDLE) this.#idle.push(freed);
        else freed.close(new Error('enough connections are idle'));
      },
      gone: (gone) => this.#forget(gone),
    });
    this.#connections += 1;
    open.add(connection);
    return connection;
  }

  #forget(connection: Connection): void {
    if (!open.delete(connection)) return;
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#connections -= 1;
    if (this.#connections === 0) this.#whenEmpty();
  }
}

/** Pools by target, for one kind of trust. A pool goes with its last connection: targets come and go. */
export class ConnectionPools {
  readonly #tls: ConnectionOptions;
  readonly #pools = new Map<string, TargetPool>();

  constructor(tls: ConnectionOptions = {}) {
    this.#tls = tls;
  }

  /** `hostHeader` is the name that a target is asked for by TLS. */
  of({ protocol, host, port, address }: Target, hostHeader: string): TargetPool {
    const servername = protocol === 'https:' ? serverName(hostHeader) : undefined;
    const key = servername === undefined ? address : `${address}:${servername}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const peer = { host, port, tls: servername === undefined ? undefined : { ...this.#tls, servername } };
    const pool = new TargetPool(peer, () => this.#pools.delete(key));
    this.#pools.set(key, pool);
    return pool;
  }
}

/** The host of a `Host` header; empty for an address, which is no name to ask for (RFC 6066 section 3). */
const serverName = (hostHeader: string): string => {
  if (hostHeader.startsWith('[')) return '';
  const host = hostHeader.split(':', 1)[0] ?? '';
  return isIP(host) === 0 ? host : '';
};

/** Connections that undici carries, idle or not. */
export const countConnections = (): number => open.size;

/** At shutdown. */
export const closeConnections = (): void => {
  for (const connection of open) connection.close(new Error('the edge stops'));
};

import { BlockList, isIP } from 'node:net';
import type { Settings } from './settings.ts';

/** Peers that are believed when they say who the client is (Kong's `trusted_ips`). */
export class TrustedPeers {
  readonly #blocks = new BlockList();

  /** @throws Error naming the entry that is neither an address nor a CIDR block. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (isIP(address) === 0) throw new Error(`TRUSTED_IPS: "${entry}" is not an address or CIDR block`);
      if (prefix === undefined) this.#blocks.addAddress(address, family);
      else this.#blocks.addSubnet(address, Number(prefix), family);
    }
  }

  includes(address: string): boolean {
    return this.#blocks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
}

type ClientSettings = Pick<Settings, 'TRUSTED_IPS' | 'REAL_IP_HEADER' | 'REAL_IP_RECURSIVE' | 'PORT_MAPS'>;

/** Who is believed when it says who the client is, and the ports that clients know. */
export const clientsOf = (settings: ClientSettings) => {
  const trustedPeers = new TrustedPeers(settings.TRUSTED_IPS);
  return {
    trustedPeers,
    realIpHeader: settings.REAL_IP_HEADER,
    passedOver: settings.REAL_IP_RECURSIVE ? trustedPeers : undefined,
    portMaps: new Map(
      settings.PORT_MAPS.map(
        (pair) => pair.split(':').map(Number).reverse() as [inner: number, outer: number],
      ),
    ),
  };
};

/** A peer's address without the IPv6 mapping of an IPv4 socket. */
export const plainAddress = (address: string | undefined): string =>
  address === undefined ? '' : address.startsWith('::ffff:') ? address.slice(7) : address;

/**
 * The client's address: the peer's, or what a trusted peer says in `header`: its last element, or with `passedOver`
 * (Kong's `real_ip_recursive`) the last one that is not trusted itself.
 */
export const clientAddress = (
  peer: string,
  isTrusted: boolean,
  headerValue: string | undefined,
  passedOver?: TrustedPeers,
): string => {
  if (!isTrusted || headerValue === undefined) return peer;
  let client = peer;
  for (const element of headerValue.split(',').reverse()) {
    const named = element.trim();
    if (isIP(named) === 0) break; // who wrote this, and what stands before it, nobody knows
    client = named;
    if (passedOver?.includes(named) !== true) break;
  }
  return client;
};

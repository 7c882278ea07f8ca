import { BlockList, isIP } from 'node:net';

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

/** A peer's address without the IPv6 mapping of an IPv4 socket. */
export const plainAddress = (address: string | undefined): string =>
  address === undefined ? '' : address.startsWith('::ffff:') ? address.slice(7) : address;

/**
 * The client's address: the peer's, or what a trusted peer says in `header` (its last element, as Kong with
 * `real_ip_recursive` off).
 */
export const clientAddress = (peer: string, isTrusted: boolean, headerValue: string | undefined): string => {
  if (!isTrusted || headerValue === undefined) return peer;
  const named = headerValue.split(',').at(-1)?.trim() ?? '';
  return isIP(named) === 0 ? peer : named;
};

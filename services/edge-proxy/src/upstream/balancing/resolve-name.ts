import { ADDRCONFIG } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** One address a name stands for; SRV records bring their own port and weight. */
export interface ResolvedAddress {
  readonly address: string;
  readonly port: number | undefined;
  readonly weight: number | undefined;
  /** The name an SRV record points to. */
  readonly name: string | undefined;
}
export interface Resolved {
  readonly addresses: readonly ResolvedAddress[];
  /** How long this may be believed, in ms. */
  readonly ttlMs: number;
}

/** Looks up the addresses behind target names. */
export interface NameResolver {
  /** @throws Error when the name has no address. */
  resolve(name: string, options: { readonly srv: boolean }): Promise<Resolved>;
}

/** A record that says 0 would be asked for without end. */
const MIN_TTL_MS = 1000;
/** For names that the operating system knows without saying for how long. */
const SYSTEM_TTL_MS = 10_000;
const QUERY_TIMEOUT_MS = 2000;

/**
 * Asks DNS, with the time to live of its records; names that only the operating system knows (hosts file, search
 * domains) are found through it. `servers` are asked in place of those of the machine.
 */
export const createResolver = (servers: readonly string[] = []): NameResolver => {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: 2 });
  if (servers.length > 0) resolver.setServers(servers);
  const resolveName = async (name: string): Promise<Resolved> => {
    if (name === 'localhost' || name.endsWith('.localhost')) return askSystem(name);
    const v4 = await resolver.resolve4(name, { ttl: true }).catch(() => []);
    const records = v4.length > 0 ? v4 : await resolver.resolve6(name, { ttl: true }).catch(() => []);
    if (records.length === 0) return askSystem(name);
    const ttl = Math.min(...records.map((record) => record.ttl));
    return {
      addresses: records.map(({ address }) => plain(address)),
      ttlMs: Math.max(ttl * 1000, MIN_TTL_MS),
    };
  };
  const resolveService = async (name: string): Promise<Resolved> => {
    const records = await resolver.resolveSrv(name).catch(() => []);
    if (records.length === 0) return resolveName(name);
    const first = Math.min(...records.map((record) => record.priority));
    const usable = records.filter((record) => record.priority === first);
    const found = await Promise.all(
      usable.map(async (record) => ({ record, resolved: await resolveName(record.name) })),
    );
    return {
      addresses: found.flatMap(({ record: { name: host, port, weight }, resolved }) =>
        resolved.addresses.map(({ address }) => ({ address, port, weight: Math.max(weight, 1), name: host })),
      ),
      ttlMs: Math.min(...found.map(({ resolved }) => resolved.ttlMs)),
    };
  };
  return { resolve: (name, { srv }) => (srv ? resolveService(name) : resolveName(name)) };
};

const plain = (address: string): ResolvedAddress => ({
  address,
  port: undefined,
  weight: undefined,
  name: undefined,
});

const askSystem = async (name: string): Promise<Resolved> => {
  const found = await lookup(name, { all: true, hints: ADDRCONFIG });
  const v4 = found.filter(({ family }) => family === 4);
  return {
    addresses: (v4.length > 0 ? v4 : found).map(({ address }) => plain(address)),
    ttlMs: SYSTEM_TTL_MS,
  };
};

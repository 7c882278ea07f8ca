import { GatewayError } from '@sluice/contracts';
import type { Service } from '@sluice/gateway-config';
import type { CompiledConfig, TargetEntity } from '../snapshot/compile.ts';

/** One address of a Service, and what its requests are addressed to. */
export interface Target {
  readonly protocol: 'http:' | 'https:';
  /** Name or address to connect to; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** `Host` for this target. */
  readonly hostHeader: string;
  /** `host:port` as configured, for logs and metrics. */
  readonly label: string;
}

/** Connect elsewhere than the configuration says, by `host:port`; the names in headers stay. */
export type ConnectTo = ReadonlyMap<string, { readonly host: string; readonly port: number }>;

/**
 * Reads `host:port=host:port` entries.
 * @throws Error naming the entry that cannot be read.
 */
export const parseConnectTo = (entries: readonly string[]): ConnectTo =>
  new Map(
    entries.map((entry) => {
      const found = /^([^=]+:\d+)=(.+):(\d+)$/.exec(entry);
      if (found === null) throw new Error(`CONNECT_TO: "${entry}" is not host:port=host:port`);
      return [(found[1] ?? '').toLowerCase(), { host: found[2] ?? '', port: Number(found[3]) }] as const;
    }),
  );

const turns = new Map<string, number>();

/** The next target by weight: each in proportion, none twice in a row where others are due. */
const byWeight = (upstreamId: string, targets: readonly TargetEntity[]): TargetEntity | undefined => {
  const usable = targets.filter((target) => target.weight > 0);
  const total = usable.reduce((sum, target) => sum + target.weight, 0);
  if (total === 0) return undefined;
  // A step that shares no factor with the total visits every point of the wheel, spread evenly.
  const turn = ((turns.get(upstreamId) ?? 0) + stepFor(total)) % total;
  turns.set(upstreamId, turn);
  let at = turn;
  for (const target of usable) {
    if (at < target.weight) return target;
    at -= target.weight;
  }
  return usable[0];
};

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const stepFor = (total: number): number => {
  let step = Math.max(1, Math.floor(total * 0.618));
  while (gcd(step, total) !== 1) step += 1;
  return step;
};

const splitTarget = (target: string): { host: string; port: number } => {
  const colon = target.lastIndexOf(':');
  return { host: target.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(target.slice(colon + 1)) };
};

/** Chooses where an attempt goes. Asked again for every attempt, as Kong asks its balancer. */
export const pickTarget = (
  compiled: CompiledConfig,
  service: Service,
  connectTo: ConnectTo,
): Target | GatewayError => {
  const protocol = service.protocol === 'https' ? 'https:' : 'http:';
  const balanced = compiled.upstreamOf(service.host);
  if (balanced === undefined) return targetAt(protocol, service.host, service.port, connectTo);
  const chosen = byWeight(balanced.upstream.id, balanced.targets);
  if (chosen === undefined) return new GatewayError('GW_NO_PEER');
  const { host, port } = splitTarget(chosen.target);
  return targetAt(protocol, host, port, connectTo, balanced.upstream.host_header ?? undefined);
};

const targetAt = (
  protocol: Target['protocol'],
  host: string,
  port: number,
  connectTo: ConnectTo,
  hostHeader?: string,
): Target => {
  const defaultPort = protocol === 'https:' ? 443 : 80;
  const named = host.includes(':') ? `[${host}]` : host;
  const label = `${named}:${port}`;
  const elsewhere = connectTo.get(label.toLowerCase());
  return {
    protocol,
    host: elsewhere?.host ?? host,
    port: elsewhere?.port ?? port,
    hostHeader: hostHeader ?? (port === defaultPort ? named : label),
    label,
  };
};

import { isIP } from 'node:net';
import type { edgeUpstreamHealth } from '@sluice/contracts';
import type { Target, Upstream } from '@sluice/gateway-config';
import type { z } from 'zod';

type EdgeReport = z.output<typeof edgeUpstreamHealth.reply>;
type AddressReport = EdgeReport['targets'][number];
type Health = AddressReport['health'];

/** What several edges say at once is as bad as the worst of them. */
const SEVERITY: Readonly<Record<Health, number>> = {
  HEALTHCHECKS_OFF: 0,
  HEALTHY: 1,
  UNHEALTHY: 2,
  DNS_ERROR: 3,
};
const worseOf = (one: Health, other: Health): Health => (SEVERITY[one] >= SEVERITY[other] ? one : other);

/** Without a probe and without a limit nothing can become unhealthy: there is no checker then. */
export const isChecked = ({ healthchecks: { active, passive } }: Upstream): boolean => {
  const { http_failures, tcp_failures, timeouts } = passive.unhealthy;
  const probes = [active.healthy.interval, active.unhealthy.interval];
  return [...probes, http_failures, tcp_failures, timeouts].some((value) => value > 0);
};

const splitAddress = (address: string): { host: string; port: number } => {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(at + 1)) };
};

/** As far as the configuration says it: for targets that no edge knows, or when no edge answers. */
const assumed = ({ target, weight }: Target, upstream: Upstream): AddressReport[] => {
  const health = isChecked(upstream) ? 'HEALTHY' : 'HEALTHCHECKS_OFF';
  return [{ target, address: isIP(splitAddress(target).host) === 0 ? '' : target, health, weight }];
};

/** As in Kong: a target is healthy while one of its addresses is. */
const healthOfTarget = (reports: readonly AddressReport[]): Health =>
  reports.find(({ health }) => health === 'HEALTHY')?.health ??
  reports.map(({ health }) => health).reduce(worseOf, 'HEALTHCHECKS_OFF');

/** Every address once, with the worst that an edge says of it. */
const mergeAddresses = (reports: readonly AddressReport[]): AddressReport[] => {
  const merged = new Map<string, AddressReport>();
  for (const report of reports) {
    const known = merged.get(report.address);
    merged.set(
      report.address,
      known === undefined ? report : { ...report, health: worseOf(known.health, report.health) },
    );
  }
  return [...merged.values()];
};

/** Kong's `health` and `data` of a target. */
export const targetHealth = (target: Target, upstream: Upstream, edges: readonly EdgeReport[]) => {
  const own = edges
    .map(({ targets }) => targets.filter((report) => report.target === target.target))
    .filter((reports) => reports.length > 0);
  const told = own.length > 0 ? own : [assumed(target, upstream)];
  const addresses = mergeAddresses(told.flat())
    .filter(({ address }) => address !== '')
    .map(({ address, health, weight = target.weight }) => {
      const { host, port } = splitAddress(address);
      return { ip: host, port, weight, health };
    });
  const weighed = addresses.length > 0 ? addresses : [{ weight: target.weight, health: 'HEALTHY' }];
  const total = sumOf(weighed);
  const unavailable = sumOf(weighed.filter(({ health }) => health === 'UNHEALTHY'));
  const { host, port } = splitAddress(target.target);
  return {
    health: told.map(healthOfTarget).reduce(worseOf, 'HEALTHCHECKS_OFF'),
    data: {
      host,
      port,
      dns: isIP(host) === 6 ? 'AAAA' : 'A',
      nodeWeight: target.weight,
      weight: { total, available: total - unavailable, unavailable },
      addresses,
    },
  };
};

const sumOf = (weighed: readonly { readonly weight: number }[]): number =>
  weighed.reduce((sum, { weight }) => sum + weight, 0);

/** Kong's answer with `?balancer_health=1`: whether enough of the weight is available. */
export const balancerHealth = (
  upstream: Upstream,
  targets: readonly Target[],
  edges: readonly EdgeReport[],
) => {
  const hosts = targets.map((target) => targetHealth(target, upstream, edges));
  const total = hosts.reduce((sum, { data }) => sum + data.weight.total, 0);
  const available = hosts
    .filter(({ health }) => health !== 'DNS_ERROR')
    .reduce((sum, { data }) => sum + data.weight.available, 0);
  const healthy = total > 0 && (available / total) * 100 > upstream.healthchecks.threshold;
  const health = !isChecked(upstream) ? 'HEALTHCHECKS_OFF' : healthy ? 'HEALTHY' : 'UNHEALTHY';
  return {
    health,
    balancer_health: health,
    id: upstream.id,
    details: {
      healthy,
      weight: { total, available, unavailable: total - available },
      hosts: hosts.map(({ data }) => data),
    },
  };
};

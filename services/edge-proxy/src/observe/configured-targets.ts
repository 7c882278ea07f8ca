import type { Gateway } from '../gateway.ts';
import { bracketed } from '../upstream/target.ts';
import type { ConfiguredTarget } from './last-attempts.ts';

/** Addresses of the services in force, and of the targets of their upstream entities. */
export const targetsOf = ({ current, balancers }: Gateway): ConfiguredTarget[] => {
  if (current === undefined) return [];
  const balanced = Map.groupBy(balancers.allHealth(), ({ upstream }) => upstream);
  return [...current.services.values()].flatMap(({ name, host, port }) => {
    const service = name ?? host;
    const own = current.upstreamNamed(host) === undefined ? [`${bracketed(host)}:${port}`] : [];
    const shared = (balanced.get(host) ?? []).flatMap(({ target, address }) => [target, address]);
    return [...own, ...shared].map((target) => ({ service, target }));
  });
};

import { GatewayError } from '@sluice/contracts';
import type { Service } from '@sluice/gateway-config';
import type { ProxyExchange } from '../exchange.ts';
import type { CompiledConfig } from '../snapshot/compile.ts';
import { BalancedCall } from './balancing/balanced-call.ts';
import type { Balancers } from './balancing/balancers.ts';
import { type ConnectTo, type Target, targetAt } from './target.ts';

/** The one target of a service whose host is just a host, made with its first request. */
const only = new WeakMap<Service, { readonly target: Target; readonly connectTo: ConnectTo }>();

/** What a choice is made with. */
export interface Balancing {
  readonly balancers: Balancers;
  readonly connectTo: ConnectTo;
}

/**
 * Opens a request's account with the balancer of its service; undefined when the service's host is just a host.
 * Waits only for the first look-up of a target's name.
 */
export const openCall = (
  { balancers }: Balancing,
  compiled: CompiledConfig,
  service: Service,
  exchange: ProxyExchange,
): BalancedCall | undefined | Promise<BalancedCall> => {
  const upstream = compiled.upstreamNamed(service.host);
  if (upstream === undefined) return undefined;
  const balancer = balancers.of(upstream);
  const { settling } = balancer;
  return settling === undefined
    ? new BalancedCall(balancer, exchange)
    : settling.then(() => new BalancedCall(balancer, exchange));
};

/** Chooses where an attempt goes. Asked again for every attempt, as Kong asks its balancer. */
export const pickTarget = (
  call: BalancedCall | undefined,
  service: Service,
  connectTo: ConnectTo,
): Target | GatewayError => {
  const protocol = service.protocol === 'https' ? 'https:' : 'http:';
  if (call !== undefined) return call.next(protocol) ?? new GatewayError('GW_NO_PEER');
  const known = only.get(service);
  if (known?.connectTo === connectTo) return known.target;
  const target = targetAt(protocol, service.host, service.port, connectTo);
  only.set(service, { target, connectTo });
  return target;
};

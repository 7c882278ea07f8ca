import { gauge, type Registry } from '@sluice/service-kit';
import type { Gateway } from '../gateway.ts';
import type { Settings } from '../settings.ts';
import { Callers } from './callers.ts';
import { type GateState, OverloadGate } from './gate.ts';

const STATES: readonly GateState[] = ['normal', 'counting', 'shedding'];

/** The gate in front of a gateway, and what it sees as metrics. */
export const openGate = (
  gateway: Gateway,
  { OVERLOAD_LAG_MS: maxLagMs }: Pick<Settings, 'OVERLOAD_LAG_MS'>,
  registry: Registry,
): OverloadGate => {
  const gate = new OverloadGate({
    maxLagMs,
    logger: gateway.logger,
    callers: new Callers(gateway),
    onShed: (requests) => gateway.metrics.shed(requests),
  });
  gauge(registry, 'sluice_overload_lag_ms', 'How late the event loop was last, in ms', [] as const, (g) =>
    g.set(gate.lagMs),
  );
  gauge(
    registry,
    'sluice_overload_state',
    'The overload gate: 0 normal, 1 counting requests, 2 refusing some',
    [] as const,
    (g) => g.set(STATES.indexOf(gate.state)),
  );
  gauge(
    registry,
    'sluice_overload_allowance',
    'Requests per second that each tenant may make while some are refused; 0 while none is',
    [] as const,
    (g) => g.set(gate.allowancePerSecond ?? 0),
  );
  return gate;
};

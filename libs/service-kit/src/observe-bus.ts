import type { Bus } from './bus.ts';
import { gauge, type Registry } from './metrics.ts';

/** Shows whether a process has the bus, what it has in hand for others, and what it turned away since its start. */
export const observeBus = (registry: Registry, bus: Pick<Bus, 'isConnected' | 'work'>): void => {
  // Of every process: the metrics of edges that have lost the bus do not come through it, those of the others tell.
  gauge(registry, 'sluice_nats_connected', '1 while the bus is connected', [] as const, (g) =>
    g.set(bus.isConnected ? 1 : 0),
  );
  gauge(registry, 'sluice_bus_questions_in_hand', 'Questions over the bus being answered', [] as const, (g) =>
    g.set(bus.work.count),
  );
  gauge(
    registry,
    'sluice_bus_questions_turned_away',
    'Questions over the bus that were turned away since the start: too many were in hand',
    [] as const,
    (g) => g.set(bus.work.turnedAway),
  );
};

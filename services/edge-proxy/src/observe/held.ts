import { gauge, type Registry } from '@sluice/service-kit';
import type { AnswerCache } from '../decide/answer-cache.ts';
import type { Decisions } from '../decide/decisions.ts';
import type { UnitCounters } from '../decide/unit-counters.ts';
import type { OverloadGate } from '../overload/gate.ts';
import { upstreamConnections } from '../upstream/engines/engines.ts';
import type { DecisionRing } from './decision-ring.ts';

export interface Held {
  readonly answers: AnswerCache;
  readonly decisions: Decisions;
  readonly gate: OverloadGate;
  readonly ring: DecisionRing;
  readonly units: UnitCounters;
}

/** Figures of what an edge holds within a bound: docs/bounded-queues.md says which. */
export const observeHeld = (registry: Registry, { answers, decisions, gate, ring, units }: Held): void => {
  gauge(
    registry,
    'sluice_upstream_connections',
    'Connections to upstreams, idle ones too',
    [] as const,
    (g) => g.set(upstreamConnections()),
  );
  gauge(
    registry,
    'sluice_entries_held',
    'Entries of what is remembered within a bound',
    ['what'] as const,
    (g) => {
      g.set({ what: 'answers' }, answers.size);
      for (const [what, entries] of Object.entries(decisions.held)) g.set({ what }, entries);
      g.set({ what: 'callers' }, gate.callers);
      g.set({ what: 'decision_records' }, ring.size);
      g.set({ what: 'unit_counters' }, units.size);
    },
  );
};

import type { DeadReason } from '@sluice/contracts';
import { type ConsumerProgress, counter, gauge, type Registry } from '@sluice/service-kit';

export type EventResult = 'applied' | 'duplicate' | 'stale' | 'expired' | 'poison';

export interface Report {
  readonly counted: (counts: Readonly<Partial<Record<EventResult, number>>>) => void;
  readonly deadLettered: (reason: DeadReason) => void;
  readonly progressed: (progress: ConsumerProgress) => void;
  /** So many events are gone for good. */
  readonly missed: (events: number) => void;
  /** `lastValues`: those known without a look. */
  readonly completeness: (isComplete: boolean, lastValues: number) => void;
  readonly durability: (level: 'os' | 'disk', replicas: number) => void;
  readonly rebuilt: (rebuilds: number) => void;
}

/** The process's metrics. */
export const createReport = (metrics: Registry): Report => {
  const events = counter(metrics, 'sluice_quota_events_total', 'Quota events by what became of them.', [
    'result',
  ]);
  const dead = counter(metrics, 'sluice_deadletter_total', 'Messages given up, by reason.', ['reason']);
  const pending = gauge(metrics, 'sluice_quota_mirror_pending', 'Events stored and not yet delivered.', []);
  const unacked = gauge(
    metrics,
    'sluice_quota_mirror_ack_pending',
    'Events delivered and not yet settled.',
    [],
  );
  const again = gauge(
    metrics,
    'sluice_quota_mirror_redelivered',
    'Unsettled events delivered more than once.',
    [],
  );
  const lag = gauge(metrics, 'sluice_quota_mirror_lag_seconds', 'Age of the oldest unsettled event.', []);
  const missed = counter(
    metrics,
    'sluice_quota_mirror_missed_total',
    'Events the stream let go before they were mirrored: an outage outlived its retention.',
    [],
  );
  missed.inc(0);
  const complete = gauge(
    metrics,
    'sluice_quota_mirror_complete',
    '1 while Redis is known to hold every quota; 0 while it is being rebuilt.',
    [],
  );
  const durability = gauge(
    metrics,
    'sluice_quota_mirror_durability',
    'What an acknowledged event survives: os (a killed process, not a loss of power) or disk.',
    ['durability', 'replicas'],
  );
  const rebuilds = gauge(metrics, 'sluice_quota_mirror_rebuilds', 'Times this process rebuilt Redis.', []);
  const held = gauge(metrics, 'sluice_entries_held', 'Entries of what is remembered within a bound', [
    'what',
  ]);
  for (const result of ['applied', 'duplicate', 'stale', 'expired', 'poison']) events.inc({ result }, 0);
  return {
    counted: (counts) => {
      for (const [result, count] of Object.entries(counts)) if (count > 0) events.inc({ result }, count);
    },
    deadLettered: (reason) => dead.inc({ reason }),
    progressed: (progress) => {
      pending.set(progress.pending);
      unacked.set(progress.ackPending);
      again.set(progress.redelivered);
      lag.set(progress.lagMs / 1000);
    },
    missed: (count) => missed.inc(count),
    completeness: (isComplete, lastValues) => {
      complete.set(isComplete ? 1 : 0);
      held.set({ what: 'last_values' }, lastValues);
    },
    durability: (level, replicas) => durability.set({ durability: level, replicas }, 1),
    rebuilt: (count) => rebuilds.set(count),
  };
};

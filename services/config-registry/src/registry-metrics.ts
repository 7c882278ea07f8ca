import type { ConfigFollower } from '@sluice/config-log';
import { type Bus, createMetrics, gauge, observeBus, type Registry } from '@sluice/service-kit';
import type { AuditLog } from './audit/audit-log.ts';
import type { LiveEdges } from './live-edges.ts';

type Bounded = Readonly<Record<'sessions' | 'traces', { readonly size: number }>>;

/** Figures of what the Admin API holds within a bound. */
export const observeHeld = (registry: Registry, held: Bounded): void => {
  gauge(
    registry,
    'sluice_entries_held',
    'Entries of what is remembered within a bound',
    ['what'],
    (metric) => {
      for (const [what, { size }] of Object.entries(held)) metric.set({ what }, size);
    },
  );
};

interface Watched {
  readonly bus: Bus;
  readonly follower: ConfigFollower;
  readonly edges: LiveEdges;
  readonly audit: AuditLog;
}

/** Metrics of the registry itself. */
export const registryMetrics = (version: string, { bus, follower, edges, audit }: Watched): Registry => {
  const registry = createMetrics('config-registry', version);
  observeBus(registry, bus);
  gauge(registry, 'sluice_config_version', 'Newest version of the configuration.', [], (metric) =>
    metric.set(follower.position.version),
  );
  gauge(registry, 'sluice_config_seq', 'Sequence of the configuration log.', [], (metric) =>
    metric.set(follower.position.seq),
  );
  gauge(registry, 'sluice_audit_pending', 'Audit records that wait for their stream.', [], (metric) =>
    metric.set(audit.pending),
  );
  gauge(
    registry,
    'sluice_audit_lost',
    'Audit records that are in the log only, since the start.',
    [],
    (metric) => metric.set(audit.counts.lost),
  );
  gauge(registry, 'sluice_live_edges', 'Edges that acknowledged lately.', [], (metric) =>
    metric.set(edges.count),
  );
  gauge(registry, 'sluice_config_entities', 'Entities by collection.', ['kind'], (metric) => {
    for (const kind of ['services', 'routes', 'plugins', 'consumers'] as const)
      metric.set({ kind }, follower.state.count(kind));
  });
  gauge(
    registry,
    'sluice_config_faults',
    'Faults of the configuration log since the start.',
    ['fault'],
    (metric) => {
      const { gaps, badDigests, foreign, resyncs } = follower.counts;
      metric.set({ fault: 'gap' }, gaps);
      metric.set({ fault: 'bad_digest' }, badDigests);
      metric.set({ fault: 'foreign_message' }, foreign);
      for (const [reason, count] of Object.entries(resyncs)) metric.set({ fault: `resync_${reason}` }, count);
    },
  );
  return registry;
};

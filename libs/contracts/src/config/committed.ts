import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';
import { configOp } from './entity.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const epoch = z.string().min(1).max(64);
const version = z.int().nonnegative();

/**
 * One change of the configuration. `epoch` is drawn when the log is created, `version` counts commits in it;
 * `digest` is that of the whole state after the commit. A commit too large for one message carries no ops but
 * the `snapshotId` that holds the state.
 */
export const configCommit = z.object({
  epoch,
  version: z.int().positive(),
  prevVersion: version,
  digest,
  kind: z.enum(['delta', 'snapshot', 'rollback']),
  ops: z.array(configOp),
  message: z.string().max(1000).optional(),
  rollbackOf: version.optional(),
  /** Entities, by what became of them; also where the operations are in a snapshot. Absent in older commits. */
  counts: z
    .object({ added: z.int().nonnegative(), changed: z.int().nonnegative(), removed: z.int().nonnegative() })
    .optional(),
  snapshotId: z.string().max(128).optional(),
  /** Address of the connection that asked for it, for the audit. */
  sourceAddress: z.string().max(64).optional(),
});
export type ConfigCommit = z.output<typeof configCommit>;

const example = {
  eventId: '0193a5c0-7e1a-7b7e-9d3c-2f6b8c1d0e11',
  occurredAt: '2026-01-02T03:04:05.000Z',
  tenantId: '*',
  platformId: 'sluice',
  correlationId: 'c-1',
  actor: 'admin-api',
  payload: {
    epoch: '9f8e7d6c',
    version: 2,
    prevVersion: 1,
    digest: 'a'.repeat(64),
    kind: 'delta' as const,
    ops: [{ op: 'delete' as const, kind: 'routes' as const, id: '3747d795-d802-569b-9ec3-e6a50a106a9d' }],
    message: 'remove a route',
  },
};

const rollback = {
  ...example,
  eventId: '0193a5c0-7e1a-7b7e-9d3c-2f6b8c1d0e12',
  payload: {
    ...example.payload,
    version: 3,
    prevVersion: 2,
    kind: 'rollback' as const,
    rollbackOf: 1,
    counts: { added: 0, changed: 0, removed: 1 },
    message: 'the route was not meant',
  },
};

/** The log itself. Nobody but the registry's own stream reads this subject: a rejected message passes here too. */
export const configCommitted = event({
  subject: 'config.committed',
  summary: 'One commit of the configuration log.',
  owner: 'config-registry',
  readers: ['config-registry'],
  stream: 'CONFIG',
  payload: envelopeOf(configCommit),
  examples: [
    { name: 'a route removed', payload: example },
    { name: 'an earlier version brought back', payload: rollback },
  ],
});

/** What the stream accepted, republished by the server: what every follower listens to. */
export const configLiveCommitted = event({
  subject: 'config.live.committed',
  summary: 'A commit the log has accepted.',
  owner: 'config-registry',
  readers: ['edge-proxy', 'auth', 'config-registry'],
  payload: envelopeOf(configCommit),
  examples: [
    { name: 'a route removed', payload: example },
    { name: 'an earlier version brought back', payload: rollback },
  ],
});

/** The registry is alive and this is the newest commit; who is behind catches up. */
export const configHeartbeat = event({
  subject: 'config.heartbeat',
  summary: 'Newest commit of the log, every second.',
  owner: 'config-registry',
  readers: ['edge-proxy', 'auth', 'config-registry'],
  payload: z.object({
    epoch,
    seq: z.int().nonnegative(),
    version,
    digest,
    /** Edges that acknowledged lately: each takes its share of a limit when the limiter is gone. */
    edges: z.int().nonnegative().default(0),
  }),
  examples: [
    {
      name: 'two edges follow',
      payload: { epoch: '9f8e7d6c', seq: 12, version: 12, digest: 'b'.repeat(64), edges: 2 },
    },
  ],
});

/** A follower stands at this commit, or refused it; repeated at each heartbeat, so it is presence as well. */
export const configApplied = event({
  subject: 'config.applied',
  summary: 'A process applied, or refused, a commit.',
  owner: 'edge-proxy',
  alongside: ['auth', 'config-registry'],
  readers: ['config-registry'],
  payload: z.object({
    process: z.string().max(64),
    instance: z.string().max(128),
    epoch,
    version,
    digest,
    outcome: z.enum(['applied', 'refused', 'leaving']),
    reason: z.string().max(2000).optional(),
    /** The candidate that it serves in the place of that commit, while one is offered to it. */
    candidate: z.string().max(128).optional(),
  }),
  examples: [
    {
      name: 'applied',
      payload: {
        process: 'edge-proxy',
        instance: 'edge-proxy-4311',
        epoch: '9f8e7d6c',
        version: 12,
        digest: 'b'.repeat(64),
        outcome: 'applied',
      },
    },
  ],
});

/** Points at the newest whole state; its chunks are written before it, so no reader sees half of one. */
export const configSnapshotHead = event({
  subject: 'config.snapshot.head',
  summary: 'Newest snapshot of the configuration.',
  owner: 'config-registry',
  readers: ['edge-proxy', 'auth', 'config-registry'],
  stream: 'CONFIG_SNAPSHOTS',
  payload: z.object({
    id: z.string().min(1).max(128),
    epoch,
    version,
    seq: z.int().nonnegative(),
    digest,
    chunks: z.int().positive(),
    bytes: z.int().positive(),
    sha256: digest,
  }),
  examples: [
    {
      name: 'one chunk',
      payload: {
        id: '9f8e7d6c-50',
        epoch: '9f8e7d6c',
        version: 50,
        seq: 50,
        digest: 'c'.repeat(64),
        chunks: 1,
        bytes: 2048,
        sha256: 'd'.repeat(64),
      },
    },
  ],
});

/** Part of a compressed snapshot (Zstandard), raw bytes. */
export const configSnapshotChunk = event({
  subject: 'config.snapshot.chunk.{part}',
  summary: 'Bytes of a snapshot; `{part}` is `<snapshot id>_<index>`.',
  owner: 'config-registry',
  readers: ['edge-proxy', 'auth', 'config-registry'],
  stream: 'CONFIG_SNAPSHOTS',
  payload: z.unknown(),
  examples: [{ name: 'bytes', payload: 'H4sIAAAA' }],
});

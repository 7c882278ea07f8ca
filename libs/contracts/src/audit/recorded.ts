import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';
import { auditHash, FIRST_PREV_HASH } from './chain.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** An entity, or the fields of it that changed; without secrets. */
const fields = z.record(z.string(), z.unknown()).nullable();

/** What became of one entity. */
export const auditChange = z.object({
  op: z.enum(['created', 'updated', 'deleted']),
  /** Collection, as `routes`. */
  kind: z.string().max(64),
  id: z.string().max(256),
  /** Null: it was not there, or what it was is not known any more. */
  before: fields,
  after: fields,
});
export type AuditChange = z.output<typeof auditChange>;

/** What happened; the chain's own fields are added when it is stored. */
export const auditEntry = z.object({
  /** `config.committed`, `token.revoked`, `admin.requested`: who or what, and what became of it. */
  action: z.string().regex(/^[a-z_]+\.[a-z_]+$/),
  outcome: z.enum(['done', 'refused', 'failed']),
  source: z.object({
    process: z.string().max(64),
    instance: z.string().max(128),
    /** Of the connection that asked; absent where nobody did. */
    address: z.string().max(64).optional(),
  }),
  request: z
    .object({ method: z.string().max(16), path: z.string().max(1024), status: z.int().min(100).max(599) })
    .optional(),
  revision: z
    .object({ epoch: z.string().max(64), version: z.int().positive(), prevVersion: z.int().nonnegative() })
    .optional(),
  /** The author's own words. */
  message: z.string().max(1000).optional(),
  /** What is acted on, where it is no change of the configuration. */
  details: z.record(z.string(), z.unknown()).optional(),
  changes: z.array(auditChange).optional(),
  /** Changes of the same commit that did not fit into the record. */
  changesLeftOut: z.int().positive().optional(),
});
export type AuditEntry = z.output<typeof auditEntry>;

/**
 * One link of the chain: `hash` is the SHA-256 of the whole message in canonical JSON without `hash` itself,
 * `prevHash` that of the message before.
 */
export const auditRecord = auditEntry.extend({
  v: z.literal(1),
  /** Counts from 1, without a gap. */
  sequence: z.int().positive(),
  prevHash: hash,
  hash,
});

const unsigned = {
  eventId: '9f8e7d6c:2',
  occurredAt: '2026-01-02T03:04:05.000Z',
  tenantId: '*',
  platformId: 'sluice',
  correlationId: null,
  actor: 'ops@example.test',
  payload: {
    v: 1 as const,
    sequence: 1,
    prevHash: FIRST_PREV_HASH,
    action: 'config.committed',
    outcome: 'done' as const,
    source: { process: 'config-registry', instance: 'config-registry-1', address: '127.0.0.1' },
    revision: { epoch: '9f8e7d6c', version: 2, prevVersion: 1 },
    message: 'more patience',
    changes: [
      {
        op: 'updated' as const,
        kind: 'services',
        id: '3747d795-d802-569b-9ec3-e6a50a106a9d',
        before: { read_timeout: 60_000 },
        after: { read_timeout: 90_000 },
      },
    ],
  },
};

/** Who did what, when, from where; each record holds the hash of the one before, so that none can be changed unseen. */
export const auditRecorded = event({
  subject: 'audit.recorded',
  summary: 'Something an operator did or was refused, or a change of the configuration; hash-chained.',
  owner: 'config-registry',
  readers: ['config-registry', 'cli'],
  stream: 'AUDIT',
  payload: envelopeOf(auditRecord),
  examples: [
    {
      name: 'a timeout changed',
      payload: { ...unsigned, payload: { ...unsigned.payload, hash: auditHash(unsigned) } },
    },
  ],
});

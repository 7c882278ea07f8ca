import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';

const id = z.string().min(1).max(128);
const base = z.object({ epoch: z.string().min(1).max(64), version: z.int().nonnegative() });

/**
 * A configuration that some edges serve in the place of the log's, told every second as long as it is. Edges that are
 * not named, or hear no offer for `leaseMs`, serve what the log says.
 */
export const configOffered = event({
  subject: 'config.offered',
  summary: 'A candidate configuration is offered to some edges, every second while it is tried.',
  owner: 'config-registry',
  readers: ['edge-proxy', 'config-registry'],
  payload: z.object({
    /** Of the stored snapshot that holds the candidate. */
    id,
    /** Where the log stands as long as the candidate is valid. */
    base,
    /** Registry that offers it. */
    instance: z.string().max(128),
    /** Edges that serve it; none: it is over. */
    edges: z.array(z.string().max(128)).max(1000),
    /** So long an edge goes on after this offer. */
    leaseMs: z.int().min(1).max(60_000),
  }),
  examples: [
    {
      name: 'one edge tries it',
      payload: {
        id: '9f8e7d6c-13-1f2e3d4c',
        base: { epoch: '9f8e7d6c', version: 12 },
        instance: 'config-registry-4300',
        edges: ['edge-proxy-4311'],
        leaseMs: 3500,
      },
    },
  ],
});

/** What one side of a canary did in the meantime. */
export const canarySide = z.object({
  edges: z.int().nonnegative(),
  requests: z.int().nonnegative(),
  /** Refused by the gateway itself, 404 included. */
  refused: z.int().nonnegative(),
  /** Answers of 500 and above. */
  failed: z.int().nonnegative(),
  /** Of the slowest edge, in µs. */
  p99Us: z.int().nonnegative(),
});
export type CanarySide = z.output<typeof canarySide>;

/** For everybody who wants to know what is tried, and what became of it. */
export const configCanary = event({
  subject: 'config.canary.{action}',
  summary: 'A candidate configuration was `started`, `promoted` or `rolled-back`; `{action}` says which.',
  owner: 'config-registry',
  readers: ['anyone'],
  stream: 'CONFIG_EVENTS',
  payload: envelopeOf(
    z.object({
      id,
      base,
      edges: z.array(z.string().max(128)),
      /** Of the commit; only where it was promoted. */
      version: z.int().positive().optional(),
      reason: z.string().max(2000).optional(),
      candidate: canarySide.optional(),
      others: canarySide.optional(),
    }),
  ),
  examples: [
    {
      name: 'rolled back',
      payload: {
        eventId: '0193a5c0-7e1a-7b7e-9d3c-2f6b8c1d0e13',
        occurredAt: '2026-01-02T03:04:05.000Z',
        tenantId: '*',
        platformId: 'sluice',
        actor: 'ann',
        payload: {
          id: '9f8e7d6c-13-1f2e3d4c',
          base: { epoch: '9f8e7d6c', version: 12 },
          edges: ['edge-proxy-4311'],
          reason: '50 % of its requests failed, 0 % of the others',
          candidate: { edges: 1, requests: 40, refused: 0, failed: 20, p99Us: 9200 },
          others: { edges: 3, requests: 130, refused: 2, failed: 0, p99Us: 8700 },
        },
      },
    },
  ],
});

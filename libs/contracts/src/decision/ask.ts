import { z } from 'zod';
import { requestReply } from '../contract.ts';
import { exampleAsked } from './asked.ts';
import { decisionRecord, exampleFlagged, exampleRecord } from './record.ts';

/** Most records that an edge answers with: they have to fit a message. */
export const MAX_RECORDS_ASKED = 500;

/** Which records are wanted; what is absent is not looked at. */
export const decisionFilter = z.object({
  /** Request, trace or correlation id. */
  id: z.string().min(1).max(256).optional(),
  tenant: z.string().min(1).max(256).optional(),
  /** Name or id. */
  route: z.string().min(1).max(256).optional(),
  /** One status such as 429, or a hundred such as 4 for all of 4xx. */
  status: z.int().min(1).max(599).optional(),
  /** True: only those in which prompt-guard saw an attack. An edge of an earlier release answers with all. */
  flagged: z.boolean().optional(),
});
export type DecisionFilter = z.output<typeof decisionFilter>;

/** Every edge answers from what it remembers of its latest requests. */
export const edgeDecision = requestReply({
  subject: 'edge.v1.decision',
  summary: 'Find what the edges decided about their latest requests.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 1000,
  request: decisionFilter.extend({
    limit: z.int().min(1).max(MAX_RECORDS_ASKED),
    /** Only requests after this one of an instance; what an edge that is not named here remembers counts as new. */
    after: z
      .array(z.object({ instance: z.string().min(1).max(128), seq: z.int().nonnegative() }))
      .max(1000)
      .optional(),
    /** Only requests before this one of an instance, to read backwards what does not fit one answer. */
    before: z
      .array(z.object({ instance: z.string().min(1).max(128), seq: z.int().nonnegative() }))
      .max(1000)
      .optional(),
  }),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** The newest request of this edge: what to ask `after` the next time. */
    seq: z.int().nonnegative(),
    /** Of those asked for on from `after`, how many were forgotten before, or have no room in this answer. */
    missed: z.int().nonnegative(),
    /** The oldest first; of too many, the newest. */
    records: z.array(decisionRecord),
  }),
  examples: [
    {
      name: 'a request this edge remembers',
      request: { id: exampleRecord.requestId, limit: 1 },
      reply: { instance: 'edge-proxy-4311', seq: 18_240, missed: 0, records: [exampleRecord] },
    },
    {
      name: 'what is new of a tenant',
      request: {
        ...{ tenant: 'tenant-123', status: 4, limit: 100 },
        after: [{ instance: 'edge-proxy-4311', seq: 18_240 }],
      },
      reply: { instance: 'edge-proxy-4311', seq: 18_255, missed: 0, records: [] },
    },
    {
      name: 'attacks that prompt-guard saw',
      request: { flagged: true, limit: 100 },
      reply: { instance: 'edge-proxy-4311', seq: 18_255, missed: 0, records: [exampleFlagged] },
    },
    {
      name: 'what came before',
      request: {
        limit: 100,
        before: [{ instance: 'edge-proxy-4311', seq: 18_156 }],
      },
      reply: {
        ...{ instance: 'edge-proxy-4311', seq: 18_255, missed: 0 },
        records: [{ ...exampleRecord, asked: exampleAsked }],
      },
    },
  ],
});

const share = z.object({
  name: z.string(),
  requests: z.int().nonnegative(),
  refused: z.int().nonnegative(),
  /** Answers of 500 and above. */
  failed: z.int().nonnegative(),
  /** Half of the requests took no longer, in µs. */
  p50Us: z.int().nonnegative(),
  p99Us: z.int().nonnegative(),
});
export type TrafficShare = z.output<typeof share>;

/** Every edge sums up its latest requests. */
export const edgeTraffic = requestReply({
  subject: 'edge.v1.traffic',
  summary: 'Sum up the latest requests of every edge by tenant and route.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 1000,
  /** Of each list so many, those with the most requests. */
  request: z.object({ windowMs: z.int().min(100).max(600_000), top: z.int().min(1).max(200) }),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** The edge's clock, Unix ms: who asks can tell by how much it differs from others. */
    now: z.number().optional(),
    /** What is summed up; shorter than asked for where the edge remembers less. */
    spanMs: z.number().nonnegative(),
    total: share,
    tenants: z.array(share),
    routes: z.array(share),
    /** Refusals by code. */
    refusals: z.array(z.object({ code: z.string(), count: z.int().nonnegative() })),
  }),
  examples: [
    {
      name: 'one tenant on one route',
      request: { windowMs: 10_000, top: 10 },
      reply: {
        instance: 'edge-proxy-4311',
        now: 1_767_323_045_120,
        spanMs: 10_000,
        total: { name: 'all', requests: 120, refused: 20, failed: 0, p50Us: 1800, p99Us: 9200 },
        tenants: [{ name: 'tenant-123', requests: 120, refused: 20, failed: 0, p50Us: 1800, p99Us: 9200 }],
        routes: [
          { name: 'agent-workflows', requests: 120, refused: 20, failed: 0, p50Us: 1800, p99Us: 9200 },
        ],
        refusals: [{ code: 'GW_RATE_LIMITED', count: 20 }],
      },
    },
  ],
});

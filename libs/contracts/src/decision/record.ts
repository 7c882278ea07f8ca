import { z } from 'zod';
import { windowState } from '../ratelimit/windows.ts';
import { asked } from './asked.ts';

/** Where a verdict came from: memory of the edge, a lease, the service itself, or the edge alone while that was gone. */
export const DECISION_SOURCES = ['cache', 'lease', 'service', 'local'] as const;

const us = z.int().nonnegative();
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** An attack that prompt-guard saw in a prompt. */
export const promptFlag = z.object({
  /** Of the policy, as docs/guides/prompt-guard.md has them. */
  mode: z.string().max(16),
  /** 1 and more is an attack. */
  score: z.number(),
  /** The heaviest first. */
  families: z.array(z.string().max(64)).max(16),
  rules: z.array(z.string().max(64)).max(16),
});
export type PromptFlag = z.output<typeof promptFlag>;

/** What one plugin of the chain said of a request. */
export const pluginVerdict = z.object({
  plugin: z.string(),
  /** Of the plugin entity: the policy. */
  id: z.string(),
  verdict: z.enum(['passed', 'refused', 'not_reached']),
  source: z.enum(DECISION_SOURCES).optional(),
  /** A short word for why, from the service that decided. */
  reason: z.string().optional(),
  /** The budget's or quota's key. */
  bucket: z.string().optional(),
  /** Windows of the budget after this request, as far as the edge knew them. */
  windows: z.array(windowState).optional(),
  quota: z
    .object({
      /** Null: without a limit. */
      limit: z.number().nullable(),
      /** Null: not known. */
      used: z.number().nullable(),
      /** The period is over: shown, but nobody is refused by it. */
      stale: z.boolean(),
      resetAt: z.string().optional(),
    })
    .optional(),
  /** What prompt-guard found, whether or not it refused; never the text itself. */
  flagged: promptFlag.optional(),
  /** Time that another service took to answer, or, where it was measured, the handler. */
  us: us.optional(),
});

/** One attempt at a target. */
const attempt = z.object({ target: z.string(), failure: z.string().optional(), us: us.optional() });

/** What became of one request and who decided it. Never a credential or a query, and only harmless headers. */
export const decisionRecord = z.object({
  requestId: z.string(),
  traceId: z.string(),
  /** By `correlation-id` or `request-id`. */
  correlationId: z.string().optional(),
  instance: z.string().min(1).max(128),
  /** Counts the requests of the instance. */
  seq: z.int().nonnegative(),
  /** When the request came; Unix ms. */
  at: z.number(),
  method: z.string(),
  /** Without query, at most 1,024 characters. */
  path: z.string(),
  host: z.string().optional(),
  status: z.int(),
  /** `answered`: by a plugin in the upstream's place; `abandoned`: the client left before an answer. */
  outcome: z.enum(['forwarded', 'refused', 'answered', 'abandoned']),
  /** Version of the configuration the request was served by. */
  version: z.int().nonnegative(),
  /** As verified, else as claimed. */
  tenant: z.string().optional(),
  consumer: z.string().optional(),
  route: z.object({ id: z.string(), name: z.string().optional() }).optional(),
  service: z
    .object({
      id: z.string(),
      name: z.string().optional(),
      connectMs: z.number(),
      readMs: z.number(),
      writeMs: z.number(),
    })
    .optional(),
  refusal: z
    .object({
      /** As in docs/errors.md. */
      code: z.string(),
      message: z.string(),
      /** The word in the body, of refusals that have one. */
      reason: z.string().optional(),
      /** Figures that decided. */
      facts: z.record(z.string(), scalar).optional(),
    })
    .optional(),
  /** In the order of the chain. */
  plugins: z.array(pluginVerdict),
  upstream: z
    .object({
      target: z.string(),
      /** Absent: none came. */
      status: z.int().optional(),
      tries: z.int().nonnegative(),
      /** Told where there were several or the request failed. */
      attempts: z.array(attempt).optional(),
    })
    .optional(),
  timing: z.object({
    totalUs: us,
    /** Until the first attempt at an upstream. */
    gatewayUs: us.optional(),
    /** From there to the head of its answer. */
    upstreamUs: us.optional(),
  }),
  bytes: z.object({ in: z.int().nonnegative(), out: z.int().nonnegative() }),
  /** What could not answer, so that the edge decided alone. */
  degraded: z.array(z.enum(['auth', 'ratelimit', 'quota'])),
  /** Absent: an edge of an earlier release, or a request that was refused before it was read. */
  asked: asked.optional(),
});
export type DecisionRecord = z.output<typeof decisionRecord>;
export type PluginVerdict = z.output<typeof pluginVerdict>;

/** For the examples of the contracts that carry records. */
export const exampleRecord: z.input<typeof decisionRecord> = {
  requestId: '7f3c9a1be2d04c55a1b2c3d4e5f60718',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  correlationId: '0193a5c0-7e1a-7b7e-9d3c-2f6b8c1d0e11',
  instance: 'edge-proxy-4311',
  seq: 18_211,
  at: 1_767_323_045_120,
  method: 'GET',
  path: '/v1/workflows',
  host: 'api.example.com',
  status: 429,
  outcome: 'refused',
  version: 12,
  tenant: 'tenant-123',
  consumer: 'alice',
  route: { id: 'c2b0c5a4-3c6e-5d0c-9c57-1f6a52a8f7aa', name: 'agent-workflows' },
  service: {
    ...{ id: '0b6a1f6e-7c7e-5b5e-8d0c-2c7d6b0e4a11', name: 'agent-orchestrator' },
    ...{ connectMs: 60_000, readMs: 60_000, writeMs: 60_000 },
  },
  refusal: {
    code: 'GW_RATE_LIMITED',
    message: 'API rate limit exceeded',
    reason: 'limit_reached',
    facts: { retry_after_seconds: 12 },
  },
  plugins: [
    {
      ...{ plugin: 'jwt', id: 'f2b0c5a4-3c6e-5d0c-9c57-1f6a52a8f7aa' },
      ...{ verdict: 'passed', source: 'cache' },
    },
    {
      ...{ plugin: 'rate-limiting', id: '5f1c3e2a-9b1d-5a55-9a3e-6c1f0d2b7e22', verdict: 'refused' },
      ...{ source: 'service', bucket: 'ratelimit:r1:s1:tenant-123', us: 412 },
      windows: [{ period: 'minute', limit: 100, remaining: 0, resetMs: 11_800 }],
    },
    { plugin: 'quota-mirror', id: '8e4d2c1b-3a5f-5c66-8b2a-1d0e9f8c7b33', verdict: 'not_reached' },
  ],
  timing: { totalUs: 903 },
  bytes: { in: 0, out: 412 },
  degraded: [],
};

const { refusal: _, ...exampleForwarded } = exampleRecord;
/** One in which prompt-guard saw something. */
export const exampleFlagged: z.input<typeof decisionRecord> = {
  ...exampleForwarded,
  ...{ status: 200, outcome: 'forwarded' },
  plugins: [
    {
      ...{ plugin: 'prompt-guard', id: '1f7d2c1b-3a5f-5c66-8b2a-1d0e9f8c7b44', verdict: 'passed', us: 212 },
      flagged: { mode: 'flag', score: 1.4, families: ['extraction'], rules: ['reveal-your-prompt'] },
    },
  ],
};

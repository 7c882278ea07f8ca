import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';

const amount = z.number().finite();

/** The whole state of a tenant's quota. */
export const quotaSnapshot = z.object({
  limit: amount.nonnegative(),
  used: amount.nonnegative(),
  remaining: amount.optional(),
  period: z.string().max(32).default('monthly'),
  resetAt: z.string().max(64).nullish(),
});

/** What one call to a model used, as the LLM proxy documents it. */
export const quotaUsage = z.object({
  usage: z.object({
    prompt_tokens: amount.optional(),
    completion_tokens: amount.optional(),
    total_tokens: amount.optional(),
    cost_usd: amount.optional(),
  }),
  model: z.string().max(256).optional(),
  provider: z.string().max(256).optional(),
  cached: z.boolean().optional(),
});

/** Published by LiteLLM: the original's name and shape, in both forms of payload. */
export const quotaUpdated = event({
  subject: 'quota.updated',
  summary: 'A tenant’s quota changed, or a call used part of it.',
  owner: 'litellm',
  readers: ['quota-mirror'],
  stream: 'QUOTAS',
  payload: envelopeOf(z.union([quotaSnapshot, quotaUsage])),
  examples: [
    {
      name: 'state of a tenant',
      payload: {
        eventId: '0b1c7c0e-6a58-4f0e-8f0c-1f7f6d1b2a33',
        occurredAt: '2025-10-27T20:00:00Z',
        tenantId: 'tenant-123',
        platformId: 'platform-1',
        correlationId: 'c-1',
        actor: 'litellm',
        payload: {
          limit: 10_000,
          used: 4532,
          remaining: 5468,
          period: 'monthly',
          resetAt: '2025-11-01T00:00:00Z',
        },
      },
    },
    {
      name: 'usage of one call, with the original publisher’s naive timestamp',
      payload: {
        eventId: '7f5bb9b0-4f43-4d5e-9a3c-6a2a6f8f2f10',
        occurredAt: '2025-10-27T20:00:00.123456',
        tenantId: 'tenant-123',
        payload: {
          usage: { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150, cost_usd: 0.0021 },
          model: 'gpt-4o',
        },
      },
    },
  ],
});

/** The newest state of each tenant, one message per tenant for ever: what Redis is rebuilt from. */
export const quotaLatest = event({
  subject: 'quota.updated.{tenant}',
  summary: 'Last value of a tenant’s quota.',
  owner: 'quota-mirror',
  readers: ['quota-mirror', 'cli'],
  stream: 'QUOTA_LATEST',
  payload: envelopeOf(quotaSnapshot),
  examples: [
    {
      name: 'last value',
      payload: {
        eventId: '0b1c7c0e-6a58-4f0e-8f0c-1f7f6d1b2a33',
        occurredAt: '2025-10-27T20:00:00Z',
        tenantId: 'tenant-123',
        payload: {
          limit: 10_000,
          used: 4532,
          remaining: 5468,
          period: 'monthly',
          resetAt: '2025-11-01T00:00:00Z',
        },
      },
    },
  ],
});

export const QUOTA_CONDITIONS = ['ok', 'alert', 'exceeded'] as const;

/** A tenant crossed a line: alert threshold, the limit, or back. */
export const quotaStateChanged = event({
  subject: 'quota.state.changed',
  summary: 'A tenant’s quota went from one condition to another.',
  owner: 'quota-mirror',
  readers: ['edge-proxy', 'config-registry'],
  payload: envelopeOf(
    z.object({
      from: z.enum(QUOTA_CONDITIONS),
      to: z.enum(QUOTA_CONDITIONS),
      limit: z.number(),
      used: z.number(),
    }),
  ),
  examples: [
    {
      name: 'past the alert line',
      payload: {
        eventId: '3d8b3b60-8f6d-4e7a-b9ce-1f1b2b7f8a11',
        occurredAt: '2025-10-27T20:00:00Z',
        tenantId: 'tenant-123',
        payload: { from: 'ok', to: 'alert', limit: 100, used: 85 },
      },
    },
  ],
});

/**
 * The stream let go events that nobody had read: whoever publishes quotas is asked for the state of every tenant, as
 * events of `quota.updated`. Nobody may be listening, so it is in the log and the metrics, too.
 */
export const quotaStatesRequested = event({
  subject: 'quota.states.requested',
  summary: 'The states of all tenants are asked for: events were lost to retention.',
  owner: 'quota-mirror',
  readers: ['litellm'],
  payload: envelopeOf(z.object({ missed: z.int().positive().describe('Events that are gone for good.') })),
  examples: [
    {
      name: 'seven events are gone',
      payload: {
        eventId: '9c0e5c7e-5a1f-4c31-9a57-0d8f5c7f1e21',
        occurredAt: '2025-10-27T20:00:00Z',
        tenantId: '*',
        payload: { missed: 7 },
      },
    },
  ],
});

/** Why a message was given up. */
export const DEAD_REASONS = [
  'invalid_json',
  'invalid_envelope',
  'missing_tenant',
  'invalid_payload',
  'max_deliver',
] as const;
export type DeadReason = (typeof DEAD_REASONS)[number];

/**
 * A message that can never be applied, byte for byte, with where it came from and why in its headers
 * (`X-Dead-Reason`, `X-Dead-Message`, `X-Orig-Subject`, `X-Orig-Stream`, `X-Orig-Seq`, `X-Deliveries`).
 */
export const quotaDead = event({
  subject: 'quota.dead',
  summary: 'A poison message of quota.updated, kept as it was.',
  owner: 'quota-mirror',
  readers: ['cli'],
  stream: 'DEADLETTER',
  payload: z.unknown(),
  examples: [{ name: 'no JSON at all', payload: 'not json' }],
});

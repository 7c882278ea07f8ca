import type { envelopeOf, quotaSnapshot, quotaUsage } from '@sluice/contracts';
import type { z } from 'zod';

/**
 * The schemas of the contract, said once more for the shape that nearly every event has: three comparisons cost a
 * tenth of the schema. What is not plain is judged by the schema, which alone can refuse: a no from here decides
 * nothing, a yes must be one of the schema's, too (`decode-event.test.ts` compares them).
 */
type Given = Readonly<Record<string, unknown>>;
type Envelope = Omit<z.output<ReturnType<typeof envelopeOf>>, 'occurredAt'> & {
  readonly occurredAt?: unknown;
};

const isText = (value: unknown, longest: number): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= longest;
const isNothingOrText = (value: unknown, longest: number): boolean =>
  value === undefined || (typeof value === 'string' && value.length <= longest);
const isNothingOrNumber = (value: unknown): boolean => value === undefined || Number.isFinite(value);
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < Infinity;

export const isPlainEnvelope = (given: Given): given is Given & Envelope =>
  isText(given.eventId, 128) &&
  isText(given.tenantId, 256) &&
  isNothingOrText(given.platformId, 256) &&
  isNothingOrText(given.correlationId, 256) &&
  isNothingOrText(given.actor, 256);

export const isPlainSnapshot = (given: Given): given is Given & z.output<typeof quotaSnapshot> =>
  isAmount(given.limit) &&
  isAmount(given.used) &&
  isNothingOrNumber(given.remaining) &&
  typeof given.period === 'string' &&
  given.period.length <= 32 &&
  isNothingOrText(given.resetAt, 64);

export const isPlainUsage = (given: Given): given is Given & z.output<typeof quotaUsage> => {
  const usage = given.usage as Given | undefined;
  return (
    typeof usage === 'object' &&
    usage !== null &&
    !Array.isArray(usage) &&
    isNothingOrNumber(usage.prompt_tokens) &&
    isNothingOrNumber(usage.completion_tokens) &&
    isNothingOrNumber(usage.total_tokens) &&
    isNothingOrNumber(usage.cost_usd) &&
    isNothingOrText(given.model, 256) &&
    isNothingOrText(given.provider, 256) &&
    (given.cached === undefined || typeof given.cached === 'boolean')
  );
};

import { setTimeout as delay } from 'node:timers/promises';
import { quotaUpdated } from '@sluice/contracts';
import { type Bus, JetStream, type Logger } from '@sluice/service-kit';

/** Names nobody else has: a sample must never overwrite the quota of a tenant that a visitor made up. */
const TENANTS = [
  { tenantId: 'demo-acme', limit: 1_000_000, pace: 0.6 },
  { tenantId: 'demo-globex', limit: 250_000, pace: 1.1 }, // exceeds its limit near the end of each month
] as const;
type SampleTenant = (typeof TENANTS)[number];

const EVERY_MS = 10_000;
const RETRY_MS = 1_000; // until quota-mirror has made the stream

/**
 * The quota of a sample tenant at an instant: what it uses grows with the month, so that a restart never takes
 * it back.
 */
export const sampleQuotaAt = ({ tenantId, limit, pace }: SampleTenant, now: Date) => {
  const monthStart = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
  const monthEnd = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
  const used = Math.floor((limit * pace * (now.getTime() - monthStart)) / (monthEnd - monthStart));
  return {
    eventId: crypto.randomUUID(),
    occurredAt: now.toISOString(),
    tenantId,
    platformId: 'platform-1',
    correlationId: crypto.randomUUID(),
    actor: 'sluice-demo',
    payload: {
      limit,
      used,
      remaining: Math.max(0, limit - used),
      period: 'monthly',
      resetAt: new Date(monthEnd).toISOString(),
    },
  };
};

/** Publishes the samples as LiteLLM does, until `signal` says stop. */
export const publishSampleQuotas = async (bus: Bus, logger: Logger, signal: AbortSignal): Promise<void> => {
  const jetstream = new JetStream(bus);
  const publishAll = async (): Promise<boolean> => {
    for (const tenant of TENANTS) {
      const event = sampleQuotaAt(tenant, new Date());
      await jetstream.append(quotaUpdated.subject, JSON.stringify(event), { msgId: event.eventId });
    }
    return true;
  };
  let wasStored = false;
  while (!signal.aborted) {
    const isStored = await publishAll().catch(() => false);
    if (isStored !== wasStored) logger.info({ isStored }, 'sample quotas');
    wasStored = isStored;
    const waitMs = isStored ? EVERY_MS : RETRY_MS;
    await delay(waitMs, undefined, { signal }).catch(() => {}); // stopped: the loop ends
  }
};

export const SAMPLE_TENANTS: readonly SampleTenant[] = TENANTS;

import { quotaStateChanged } from '@sluice/contracts';
import type { Bus } from '@sluice/service-kit';
import type { z } from 'zod';
import type { SnapshotEvent } from './decode-event.ts';

export type QuotaCondition = z.output<typeof quotaStateChanged.payload>['payload']['to'];

/** A limit that is 0 or used up is exceeded; from the threshold on (percent) the tenant is in alert. */
export const conditionOf = (limit: number, used: number, thresholdPercent: number): QuotaCondition => {
  if (used >= limit) return 'exceeded';
  return used * 100 >= limit * thresholdPercent ? 'alert' : 'ok';
};

/**
 * Tells that a tenant crossed a line. Only who put the state into Redis tells it, and Redis told him what was there
 * before: of several processes one speaks. A tenant seen for the first time comes from `ok`.
 */
export const announceState = (
  bus: Bus,
  event: SnapshotEvent,
  before: { readonly limit: string; readonly used: string },
  thresholdPercent: number,
): void => {
  const limit = Number(event.fields.limit);
  const used = Number(event.fields.used);
  const known = before.limit !== '' && Number.isFinite(Number(before.limit));
  const from = known ? conditionOf(Number(before.limit), Number(before.used), thresholdPercent) : 'ok';
  const to = conditionOf(limit, used, thresholdPercent);
  if (from === to) return;
  bus.publish(quotaStateChanged, {
    eventId: crypto.randomUUID(),
    occurredAt: new Date().toISOString(),
    tenantId: event.tenantId,
    payload: { from, to, limit, used },
  });
};

import type { Bus, Delivery, JetStream, Logger } from '@sluice/service-kit';
import { announceState } from './announce-state.ts';
import { type Applied, applyEvents, type Settled } from './apply-events.ts';
import { deadLetter, type PoisonReason } from './dead-letter.ts';
import { decodeEvent, type QuotaEvent } from './decode-event.ts';
import type { Store } from './keys.ts';
import type { LatestValues } from './latest-values.ts';
import type { EventResult, Report } from './report.ts';

const RETRY_MS = 500;

export interface Mirror {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly store: Store;
  readonly latest: LatestValues;
  readonly report: Report;
  readonly logger: Logger;
  readonly maxDeliveries: number;
  readonly thresholdPercent: number;
  readonly settled: () => Settled;
  /** Redis did not do as told: stop pulling until it answers. */
  readonly suspectRedis: () => void;
}

/**
 * The way of an event: decode, apply to Redis at once, keep the tenant's state in QUOTA_LATEST, ack. What can never
 * be applied becomes a dead letter; what cannot be applied now comes again.
 */
export const mirrorBatch = async (mirror: Mirror, deliveries: readonly Delivery[]): Promise<void> => {
  const events: QuotaEvent[] = [];
  const theirs: Delivery[] = [];
  const givenUp: Promise<void>[] = [];
  for (const delivery of deliveries) {
    const decoded = decodeEvent(delivery.data, delivery);
    if (decoded.outcome === 'poison') givenUp.push(giveUp(mirror, delivery, decoded));
    else {
      events.push(decoded.event);
      theirs.push(delivery);
    }
  }
  const applied = await applyEvents(mirror.store, events, mirror.settled());
  const counts = { applied: 0, duplicate: 0, stale: 0, expired: 0 };
  for (const [n, delivery] of theirs.entries()) {
    const work = settle(mirror, delivery, events[n], applied[n], counts);
    if (work !== undefined) givenUp.push(work);
  }
  mirror.report.counted(counts);
  await Promise.all(givenUp);
};

type Counts = Record<Exclude<EventResult, 'poison'>, number>;

/** Current in Redis: acked by the flush. Nothing new: acked now. Not applied: it comes again, or is given up. */
const settle = (
  mirror: Mirror,
  delivery: Delivery,
  event: QuotaEvent | undefined,
  applied: Applied | undefined,
  counts: Counts,
): Promise<void> | undefined => {
  if (event === undefined || applied === undefined) return undefined;
  if (applied.result === 'failed') {
    delivery.nak(RETRY_MS);
    mirror.suspectRedis();
    return undefined;
  }
  if (applied.result === 'refused') return retryOrGiveUp(mirror, delivery);
  counts[applied.result] += 1;
  if (applied.isCurrent && event.kind === 'snapshot') mirror.latest.mark(event, delivery);
  else delivery.ack();
  if (event.kind === 'snapshot' && applied.before !== undefined)
    announceState(mirror.bus, event, applied.before, mirror.thresholdPercent);
  return undefined;
};

/** Somebody may repair what makes Redis refuse it; Redis' own trouble is counted nowhere and never ends here. */
const retryOrGiveUp = async (mirror: Mirror, delivery: Delivery): Promise<void> => {
  const { deliveryCount } = delivery;
  if (deliveryCount < mirror.maxDeliveries) delivery.nak(RETRY_MS);
  else {
    const message = `Redis refused it ${deliveryCount} times: the tenant's sums hold something else than integers`;
    await giveUp(mirror, delivery, { reason: 'max_deliver', message });
  }
};

const giveUp = async (
  { jetstream, logger, report }: Mirror,
  delivery: Delivery,
  poison: PoisonReason,
): Promise<void> => {
  if (!(await deadLetter(jetstream, logger, delivery, poison))) return;
  report.counted({ poison: 1 });
  report.deadLettered(poison.reason);
};

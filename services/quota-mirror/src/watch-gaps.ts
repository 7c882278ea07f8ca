import { quotaStatesRequested } from '@sluice/contracts';
import type { Bus, ConsumerProgress, Logger } from '@sluice/service-kit';
import type { Report } from './report.ts';

/** Asks whoever publishes quotas for the state of every tenant. */
export const requestStates = (bus: Bus, missed: number): boolean =>
  bus.publish(quotaStatesRequested, {
    eventId: crypto.randomUUID(),
    occurredAt: new Date().toISOString(),
    tenantId: '*',
    payload: { missed },
  });

/**
 * Events that the stream let go before they were mirrored are gone for good: the sums lack them, a state comes right
 * with the tenant's next event. Nobody else can know, so it is said once for each, at the error level, and counted,
 * and the states are asked for. It must be looked at before the consumer is opened, too: the first delivery moves it
 * past the gap.
 */
export const watchGaps = (report: Report, logger: Logger, request: (missed: number) => unknown) => {
  let counted = 0;
  return ({ missed }: Pick<ConsumerProgress, 'missed'>): void => {
    if (missed > counted) {
      report.missed(missed - counted);
      request(missed - counted);
      logger.error(
        { missed: missed - counted },
        "quota events were lost to retention: have the publisher send every tenant's state again",
      );
    }
    counted = missed; // the same gap is seen until the consumer has passed it
  };
};

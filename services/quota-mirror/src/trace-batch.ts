import {
  CONSUMER,
  type Delivery,
  messagingAttributes,
  parseTraceparent,
  startSpan,
  type Telemetry,
  traceparentOf,
  withSpan,
} from '@sluice/service-kit';

/** Publishers of one batch whose traces are continued; a flood of recorded events is a flood of spans. */
const MAX_TRACED = 100;

export interface BatchTracing {
  readonly telemetry: Pick<Telemetry, 'enabled' | 'rootShare'>;
  readonly subject: string;
  readonly durable: string;
}

/**
 * Works on a batch inside a consumer span, when a publisher records its trace, or none of them decided and the lot
 * falls on it. The span and what it does in Redis stand in the trace of the first who records; each other one's trace
 * gets a consumer span, too, linked with that. All of them are links of the batch.
 */
export const inBatchSpan = (
  { telemetry, subject, durable }: BatchTracing,
  deliveries: readonly Delivery[],
  work: () => Promise<void>,
): Promise<void> => {
  if (!telemetry.enabled) return work();
  const { recorded, hasUndecided } = publishersOf(deliveries);
  const [first, ...others] = recorded;
  if (first === undefined && !(hasUndecided && Math.random() < telemetry.rootShare)) return work();
  const name = `process ${subject}`;
  const attributes = {
    ...messagingAttributes('process', subject),
    'messaging.consumer.group.name': durable,
  };
  const batch = deliveries.length === 1 ? {} : { 'messaging.batch.message_count': deliveries.length };
  const options = { kind: CONSUMER, attributes: { ...attributes, ...batch } };
  return withSpan(name, { ...options, traceparent: first ?? '', links: recorded }, async (span) => {
    const links = [traceparentOf(span)];
    const spans = others.map((traceparent) =>
      startSpan(name, { kind: CONSUMER, attributes, traceparent, links }),
    );
    try {
      await work();
    } finally {
      for (const one of spans) one.end();
    }
  });
};

const publishersOf = (deliveries: readonly Delivery[]) => {
  const recorded: string[] = [];
  let hasUndecided = false;
  for (const delivery of deliveries) {
    const header = delivery.header('traceparent');
    const parent = parseTraceparent(header);
    if (header === undefined || parent === undefined) hasUndecided = true;
    else if (parent.sampled && recorded.length < MAX_TRACED) recorded.push(header);
  }
  return { recorded, hasUndecided };
};

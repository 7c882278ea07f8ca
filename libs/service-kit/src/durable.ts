import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  type NatsError,
  nanos,
} from 'nats';
import type { JetStream } from './jetstream.ts';

const CONSUMER_NOT_FOUND = 10_014;

export interface DurableOptions {
  readonly stream: string;
  readonly durable: string;
  /** Only messages of this subject; absent: all of the stream. */
  readonly filter?: string;
  /** Without an answer for so long, in ms, a message is delivered again. */
  readonly ackWaitMs: number;
  /** Messages in the hands of all members together, at most. */
  readonly maxAckPending: number;
}

const differs = (config: ConsumerConfig, wanted: Partial<ConsumerConfig>): boolean =>
  Object.entries(wanted).some(([key, value]) => config[key as keyof ConsumerConfig] !== value);

/**
 * Creates the durable pull consumer or brings an existing one to these options, then reads it back: explicit ack,
 * everything from the first message, delivered again without end.
 * @throws Error when the existing one cannot be used so, or the server kept something else.
 */
export const ensureDurable = async (
  manager: JetStreamManager,
  { stream, durable, filter, ackWaitMs, maxAckPending }: DurableOptions,
): Promise<void> => {
  const wanted: Partial<ConsumerConfig> = {
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: maxAckPending,
    max_deliver: -1,
    ...(filter === undefined ? {} : { filter_subject: filter }),
  };
  const found = await manager.consumers.info(stream, durable).catch((error: NatsError) => {
    if (error.api_error?.err_code === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  });
  let info: ConsumerInfo;
  if (found === undefined)
    info = await manager.consumers.add(stream, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ...wanted,
    });
  else if (found.config.deliver_subject !== undefined || found.config.ack_policy !== AckPolicy.Explicit)
    throw new Error(
      `consumer ${durable} of stream ${stream} is not a pull consumer with explicit acks: delete it or choose another name`,
    );
  else if (differs(found.config, wanted)) info = await manager.consumers.update(stream, durable, wanted);
  else return;
  if (differs(info.config, wanted))
    throw new Error(
      `consumer ${durable} of stream ${stream}: the server did not keep ${JSON.stringify(wanted)}`,
    );
};

/** How far a durable consumer is. */
export interface ConsumerProgress {
  /** Stored, not yet delivered. */
  readonly pending: number;
  /** Delivered, not yet settled. */
  readonly ackPending: number;
  /** Of those, delivered more than once. */
  readonly redelivered: number;
  /** Age of the oldest message that is not settled, in ms; 0 when there is none. */
  readonly lagMs: number;
  /** Every message stored before this Unix ms is settled; 0 while unknown. */
  readonly settledBeforeMs: number;
  /** Messages the stream let go before this consumer had them; 0 in health. */
  readonly missed: number;
}

/** Asks the server how far the consumer is; three small questions. */
export const consumerProgress = async (
  jetstream: JetStream,
  { stream, durable }: Pick<DurableOptions, 'stream' | 'durable'>,
): Promise<ConsumerProgress> => {
  const { manager } = await jetstream.raw();
  // The stream first: what it stores after this look cannot count as settled.
  const { state } = await manager.streams.info(stream);
  const info = await manager.consumers.info(stream, durable);
  const floor = info.ack_floor.stream_seq;
  const counts = {
    pending: info.num_pending,
    ackPending: info.num_ack_pending,
    redelivered: info.num_redelivered,
  };
  const missed = info.delivered.consumer_seq > 0 ? Math.max(0, state.first_seq - floor - 1) : 0;
  if (info.num_pending + info.num_ack_pending === 0) {
    const settledBeforeMs = state.messages === 0 ? 0 : Date.parse(`${state.last_ts}`);
    return { ...counts, lagMs: 0, settledBeforeMs, missed };
  }
  const oldest = await manager.streams
    .getMessage(stream, { seq: Math.max(floor + 1, state.first_seq) })
    .catch((error: NatsError) => {
      if (/no message found/i.test(error.message)) return undefined; // settled or deleted since
      throw error;
    });
  const storedMs = oldest?.time.getTime();
  return {
    ...counts,
    lagMs: storedMs === undefined ? 0 : Math.max(0, Date.now() - storedMs),
    settledBeforeMs: storedMs ?? 0,
    missed,
  };
};

import { AckPolicy, DeliverPolicy, nanos } from 'nats';
import { type Delivery, deliveryOf } from './delivery.ts';
import type { JetStream } from './jetstream.ts';

const PAGE = 500;
/** The longest wait for the next page, in ms; a server that says nothing for so long ends the reading. */
const PAGE_EXPIRES_MS = 5000;
const FORGOTTEN_AFTER_MS = 30_000;

/**
 * Reads a stream from its first message to the last one there is when it begins, page by page, in order; nothing is
 * settled.
 * @throws Error when a page does not come whole: what was read so far is a beginning, not the stream.
 */
export const readStream = async (
  jetstream: JetStream,
  stream: string,
  onPage: (deliveries: readonly Delivery[]) => Promise<void>,
): Promise<number> => {
  const { client, manager } = await jetstream.raw();
  const createdMs = Date.parse((await manager.streams.info(stream)).created);
  const info = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.All,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
  });
  try {
    const consumer = await client.consumers.get(stream, info.name);
    const there = info.num_pending;
    let left = there;
    let read = 0;
    while (left > 0) {
      const page: Delivery[] = [];
      const messages = await consumer.fetch({ max_messages: Math.min(PAGE, left), expires: PAGE_EXPIRES_MS });
      for await (const message of messages) {
        // Without acks a message lost on the way is not sent again: only the count tells.
        if (message.info.deliverySequence !== read + page.length + 1)
          throw new Error(`${stream}: messages were lost`);
        page.push(deliveryOf(message, createdMs));
        // Under load there is always one more: what is stored from now on is not ours to read.
        left = Math.min(message.info.pending, there - read - page.length);
      }
      if (page.length === 0) throw new Error(`${stream}: the server sent nothing, ${left} messages are left`);
      read += page.length;
      await onPage(page);
    }
    return read;
  } finally {
    await manager.consumers.delete(stream, info.name).catch(() => undefined); // it is forgotten by itself
  }
};

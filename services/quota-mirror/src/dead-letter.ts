import { type DeadReason, quotaDead } from '@sluice/contracts';
import type { Delivery, JetStream, Logger } from '@sluice/service-kit';

/** Why a message was given up: a word for machines, a sentence for people. */
export interface PoisonReason {
  readonly reason: DeadReason;
  readonly message: string;
}

const RETRY_MS = 500;
/** Left for our headers when the message alone is as large as the server takes. */
const HEADER_ROOM_BYTES = 8192;
const MAX_TEXT = 200;

/** Header values are one line of plain characters, whatever a publisher wrote. */
const plain = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_TEXT);

const headersFor = (delivery: Delivery, reason: DeadReason, message: string): Record<string, string> => {
  // What starts with Nats- are orders to the server, given for the original stream.
  const original = Object.entries(delivery.headers()).filter(([name]) => !/^nats-/i.test(name));
  const msgId = delivery.header('Nats-Msg-Id');
  return {
    ...Object.fromEntries(original),
    ...(msgId === undefined ? {} : { 'X-Orig-Msg-Id': msgId }),
    'X-Dead-Reason': reason,
    'X-Dead-Message': plain(message),
    'X-Orig-Subject': delivery.subject,
    'X-Orig-Stream': delivery.stream,
    'X-Orig-Seq': `${delivery.seq}`,
    'X-Deliveries': `${delivery.deliveryCount}`,
  };
};

/**
 * Keeps a message that can never be applied, byte for byte, and only then gives it up. Where that fails it comes
 * again: a message is never without an owner. The id makes a repeated attempt one dead letter.
 * @returns true when it is kept.
 */
export const deadLetter = async (
  jetstream: JetStream,
  logger: Logger,
  delivery: Delivery,
  { reason, message }: PoisonReason,
): Promise<boolean> => {
  const msgId = `${delivery.stream}.${delivery.streamCreatedMs}.${delivery.seq}`;
  const headers = headersFor(delivery, reason, message);
  const keep = (data: Uint8Array, more: Record<string, string> = {}) =>
    jetstream.append(quotaDead.subject, data, { msgId, headers: { ...headers, ...more } });
  try {
    await keep(delivery.data).catch((error: { code?: string }) => {
      if (error.code !== 'MAX_PAYLOAD_EXCEEDED') throw error;
      // The whole of it stays in its own stream, at X-Orig-Seq.
      const room = delivery.data.length - HEADER_ROOM_BYTES;
      return keep(delivery.data.subarray(0, room), { 'X-Dead-Truncated': `${delivery.data.length}` });
    });
    delivery.term();
    logger.warn(
      { reason, problem: message, seq: delivery.seq, bytes: delivery.data.length },
      'event is a dead letter',
    );
    return true;
  } catch (error) {
    logger.warn({ err: error, seq: delivery.seq }, 'dead letter not stored; trying again');
    delivery.nak(RETRY_MS);
    return false;
  }
};

import type { JsMsg } from 'nats';
import { expect, test } from 'vitest';
import { deliveryOf } from '../src/delivery.ts';

const PLACE = 'QUOTAS.quota-mirror.2.1234567.7654321.1795463527123456789.42';

/** The address is all that the client's message adds to the bytes. */
const messageTo = (reply: string) => ({ reply, data: new Uint8Array(), subject: 's' }) as unknown as JsMsg;

test.each([
  ['the short form', `$JS.ACK.${PLACE}`],
  ['the form of newer servers', `$JS.ACK._.hash.${PLACE}`],
  ['the form with a token at its end', `$JS.ACK.hub.hash.${PLACE}.token`],
])('a message knows its place from %s', (_form, reply) => {
  const before = deliveryOf(messageTo('$JS.ACK.OTHER.durable.1.1.1.1000.0'), 5);
  const delivery = deliveryOf(messageTo(reply), 7);

  expect(delivery).toMatchObject({ deliveryCount: 2, seq: 1_234_567, timeMicros: 1_795_463_527_123_456 });
  expect(delivery.timeMs).toBe(1_795_463_527_123);
  expect([delivery.stream, delivery.streamCreatedMs]).toEqual(['QUOTAS', 7]);
  expect([before.stream, before.seq, before.timeMicros]).toEqual(['OTHER', 1, 1]);
});

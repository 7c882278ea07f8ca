import type { Msg, NatsConnection } from 'nats';

/** A message the server would not take; it was not sent. */
export class MessageTooLarge extends Error {
  readonly subject: string;
  constructor(subject: string, bytes: number, maxBytes: number) {
    super(
      `${subject}: a message of ${bytes} bytes was not sent, the server takes at most ${maxBytes} (its max_payload)`,
    );
    this.name = 'MessageTooLarge';
    this.subject = subject;
  }
}

/** @throws MessageTooLarge */
export const assertFits = (connection: NatsConnection, subject: string, data: string | Uint8Array): void => {
  const maxBytes = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
  if (data.length * 3 <= maxBytes) return; // three bytes of UTF-8 per UTF-16 unit at most: no need to count
  const bytes = Buffer.byteLength(data);
  if (bytes > maxBytes) throw new MessageTooLarge(subject, bytes, maxBytes);
};

/**
 * A message as JSON.
 * @throws MessageTooLarge
 */
export const jsonFor = (connection: NatsConnection, subject: string, message: unknown): string => {
  const text = JSON.stringify(message);
  assertFits(connection, subject, text);
  return text;
};

/**
 * Who is asked may publish once on whatever subject the question names for the answer, also on one that neither he nor
 * the asker may publish on. An answer goes to an inbox or nowhere.
 */
export const isInbox = (reply: string | undefined): boolean => reply?.startsWith('_INBOX') === true;

/** What a message says; undefined: no JSON. */
export const jsonOf = (message: Pick<Msg, 'json'>): unknown => {
  try {
    return message.json();
  } catch {
    return undefined;
  }
};

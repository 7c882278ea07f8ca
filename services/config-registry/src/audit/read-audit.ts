import { auditRecorded, STREAMS } from '@sluice/contracts';
import type { JetStream, StoredMessage } from '@sluice/service-kit';
import type { z } from 'zod';

const STREAM = STREAMS.AUDIT.name;
const ANSWER_MS = 1000;

type Recorded = z.output<typeof auditRecorded.payload>;

/** A record and its place in the stream, which is not its place in the chain where somebody else wrote there, too. */
export interface StoredRecord {
  readonly seq: number;
  readonly record: Recorded;
}

/**
 * The newest records first, those before a place in the stream; what is none is passed over, so there may be fewer.
 * `next` is where to go on; undefined at the beginning.
 */
export const readAudit = async (
  jetstream: JetStream,
  { limit, before }: { limit: number; before: number | undefined },
): Promise<{ records: StoredRecord[]; next: number | undefined }> => {
  const last = await jetstream.readLast(STREAM, auditRecorded.subject, ANSWER_MS);
  const top = Math.min(last?.seq ?? 0, (before ?? Number.POSITIVE_INFINITY) - 1);
  const count = Math.max(0, Math.min(limit, top));
  const messages = await Promise.all(
    Array.from({ length: count }, (_, at) => jetstream.readAt(STREAM, top - at, ANSWER_MS)),
  );
  return {
    records: messages.flatMap((message) => recordIn(message) ?? []),
    next: top - count > 0 && messages.some((message) => message !== undefined) ? top - count + 1 : undefined,
  };
};

const recordIn = (message: StoredMessage | undefined): StoredRecord | undefined => {
  if (message === undefined) return undefined; // expired
  try {
    const parsed = auditRecorded.payload.safeParse(JSON.parse(Buffer.from(message.data).toString()));
    return parsed.success ? { seq: message.seq, record: parsed.data } : undefined;
  } catch {
    return undefined;
  }
};

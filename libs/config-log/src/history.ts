import { STREAMS } from '@sluice/contracts';
import type { JetStream } from '@sluice/service-kit';
import { commitOf, type Position, type StoredCommit } from './position.ts';

const IN_FLIGHT = 32; // direct gets
const MAX_FOREIGN = 1000; // messages that are no commit of the chain and are passed over

/** A commit and its place in the log. */
export interface HistoryEntry extends StoredCommit {
  readonly seq: number;
}

/**
 * Commits of the epoch that `from` stands in, the newest first.
 * @param before only versions before this one
 * @param limit at most so many
 */
export const readHistory = async (
  jetstream: JetStream,
  from: Pick<Position, 'epoch' | 'version' | 'seq'>,
  { before, limit }: { before: number; limit: number },
): Promise<HistoryEntry[]> => {
  const newest = Math.min(from.version, before - 1);
  const wanted = Math.min(limit, newest);
  const found: HistoryEntry[] = [];
  // Foreign messages lie between a version and the end, so it stands here or earlier.
  let seq = from.seq - (from.version - newest);
  const lowest = seq - wanted - MAX_FOREIGN;
  while (found.length < wanted && seq > Math.max(0, lowest)) {
    const count = Math.min(IN_FLIGHT, seq, Math.max(wanted - found.length, 1));
    for (const entry of await readDown(jetstream, seq, count)) {
      const isNext = entry?.commit.epoch === from.epoch && entry.commit.version === newest - found.length;
      if (entry !== undefined && isNext && found.length < wanted) found.push(entry);
    }
    seq -= count;
  }
  return found;
};

const readDown = (jetstream: JetStream, seq: number, count: number): Promise<(HistoryEntry | undefined)[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const message = await jetstream.readAt(STREAMS.CONFIG.name, seq - index);
      const stored = message === undefined ? undefined : commitOf(message);
      return stored === undefined ? undefined : { ...stored, seq: seq - index };
    }),
  );

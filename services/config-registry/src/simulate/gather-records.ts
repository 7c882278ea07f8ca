import { type DecisionRecord, decisionRecorded, edgeDecision, STREAMS } from '@sluice/contracts';
import { readStream } from '@sluice/service-kit';
import type { FindParts } from '../explain-find.ts';

/** Records of one answer: few enough that an edge is not held by making them. */
const PAGE = 200;

/** The requests of a stretch of time, the oldest first, and how far they are all there. */
export interface Gathered {
  readonly records: readonly DecisionRecord[];
  readonly edges: { readonly live: number; readonly answered: number };
  /** Unix ms from which on every request is there; Infinity: an edge did not answer, or forgets as fast as it is asked. */
  readonly wholeFrom: number;
  /** There were more than may be looked at; the oldest are left out. */
  readonly isCut: boolean;
}

interface EdgeMemory {
  readonly records: Map<number, DecisionRecord>;
  oldestSeq: number;
  isDone: boolean;
}

/**
 * Reads what every edge remembers of the requests since a time (Unix ms), page by page, backwards. Where an edge has
 * forgotten some of them, the stream adds what it was told: refusals, and a sample of the rest.
 */
export const gatherRecords = async (parts: FindParts, since: number, max: number): Promise<Gathered> => {
  const memories = new Map<string, EdgeMemory>();
  let answered = 0;
  for (;;) {
    const before = [...memories].map(([instance, { oldestSeq }]) => ({ instance, seq: oldestSeq }));
    const answers = await parts.bus.scatter(edgeDecision, { limit: PAGE, before }, parts.edges.count);
    answered = Math.max(answered, answers.length);
    const known = sizeOf(memories);
    for (const { instance, records } of answers) takePage(memories, instance, records, since);
    const isDone = [...memories.values()].every((memory) => memory.isDone);
    const size = sizeOf(memories);
    if (isDone || size === known || size >= max) break;
  }
  const remembered = [...memories.values()].flatMap(({ records }) => [...records.values()]);
  const wholeFrom = answered < parts.edges.count ? Number.POSITIVE_INFINITY : wholeSince(memories, since);
  const told = wholeFrom <= since ? [] : await toldSince(parts, since, memories);
  const records = [...remembered, ...told].filter(({ at }) => at >= since).sort((a, b) => a.at - b.at);
  const isCut = records.length > max;
  return {
    records: isCut ? records.slice(-max) : records,
    edges: { live: parts.edges.count, answered },
    wholeFrom: isCut ? Math.max(wholeFrom, records.at(-max)?.at ?? since) : wholeFrom,
    isCut,
  };
};

const takePage = (
  memories: Map<string, EdgeMemory>,
  instance: string,
  records: readonly DecisionRecord[],
  since: number,
): void => {
  const memory = memories.get(instance) ?? {
    ...{ records: new Map<number, DecisionRecord>(), oldestSeq: Number.MAX_SAFE_INTEGER, isDone: false },
  };
  memories.set(instance, memory);
  // An edge of an earlier release gives its newest page again and again.
  const fresh = records.filter(({ seq }) => seq < memory.oldestSeq);
  for (const record of fresh) memory.records.set(record.seq, record);
  memory.oldestSeq = Math.min(memory.oldestSeq, ...fresh.map(({ seq }) => seq));
  memory.isDone ||= fresh.length < PAGE || fresh.every(({ at }) => at < since);
};

const sizeOf = (memories: ReadonlyMap<string, EdgeMemory>): number =>
  [...memories.values()].reduce((sum, { records }) => sum + records.size, 0);

/** From when on every edge remembers every request. */
const wholeSince = (memories: ReadonlyMap<string, EdgeMemory>, since: number): number => {
  const starts = [...memories.values()].map(({ records, oldestSeq }) => {
    const oldest = records.get(oldestSeq);
    if (oldest === undefined || oldestSeq === 1 || oldest.at < since) return since;
    return oldest.at;
  });
  return Math.max(since, ...starts);
};

const toldSince = async (
  { jetstream }: FindParts,
  since: number,
  memories: ReadonlyMap<string, EdgeMemory>,
): Promise<DecisionRecord[]> => {
  const told: DecisionRecord[] = [];
  await readStream(jetstream, STREAMS.DECISIONS.name, async (page) => {
    for (const { data } of page) {
      const parsed = decisionRecorded.payload.safeParse(jsonOf(data));
      for (const record of parsed.data?.payload.records ?? []) {
        const isRemembered = memories.get(record.instance)?.records.get(record.seq)?.requestId;
        if (record.at >= since && isRemembered !== record.requestId) told.push(record);
      }
    }
  });
  return told;
};

const jsonOf = (data: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
  } catch {
    return undefined; // somebody else's message
  }
};

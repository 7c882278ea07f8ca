import { type DecisionRecord, decisionRecorded, edgeDecision, STREAMS } from '@sluice/contracts';
import { type Bus, type JetStream, readStream } from '@sluice/service-kit';
import type { LiveEdges } from './live-edges.ts';

export interface FindParts {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly edges: Pick<LiveEdges, 'count'>;
}

/**
 * The record of a request, by its request, trace or correlation id: from the edges' memory, else from the stream,
 * which has the refusals of the last hours and a sample of the rest. Undefined: neither has it.
 * @throws what the bus throws when neither can be asked.
 */
export const findDecision = async (parts: FindParts, id: string): Promise<DecisionRecord | undefined> => {
  const { bus, edges } = parts;
  const answers = await bus.scatter(edgeDecision, { id, limit: 1 }, edges.count);
  const [remembered] = answers.flatMap(({ records }) => records);
  return remembered ?? findInStream(parts, id);
};

/** Ids are random, so there is no index: the stream is read once. Only messages that hold the text are parsed. */
const findInStream = async ({ jetstream }: FindParts, id: string): Promise<DecisionRecord | undefined> => {
  let found: DecisionRecord | undefined;
  const text = JSON.stringify(id);
  await readStream(jetstream, STREAMS.DECISIONS.name, async (page) => {
    for (const { data } of page) {
      const message = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      if (message.includes(text)) found = recordIn(message, id) ?? found;
    }
  });
  return found;
};

const recordIn = (message: Buffer, id: string): DecisionRecord | undefined => {
  const parsed = decisionRecorded.payload.safeParse(jsonOf(message));
  return parsed.data?.payload.records.find(
    ({ requestId, traceId, correlationId }) => requestId === id || traceId === id || correlationId === id,
  );
};

const jsonOf = (message: Buffer): unknown => {
  try {
    return JSON.parse(message.toString());
  } catch {
    return undefined; // somebody else's message
  }
};

import { STREAMS, type StreamDefinition } from '@sluice/contracts';
import type { JetStream, Logger } from '@sluice/service-kit';

/** "insufficient storage resources available": the server promises no stream more than its disk holds. */
const NO_ROOM = 10_047;
const SMALLEST_BYTES = 64 * 1024 ** 2;

/** A small disk gets smaller streams rather than none; the oldest messages go first, and that is said. */
const ensureFitting = async (
  jetstream: JetStream,
  logger: Logger,
  definition: StreamDefinition,
  replicas: number,
): Promise<number> => {
  try {
    return await jetstream.ensureStream(definition, replicas);
  } catch (error) {
    const code = (error as { api_error?: { err_code?: number } }).api_error?.err_code;
    const maxBytes = Math.floor((definition.maxBytes ?? 0) / 4);
    if (code !== NO_ROOM || maxBytes < SMALLEST_BYTES) throw error;
    logger.warn(
      { stream: definition.name, maxBytes },
      'the bus has too little storage: a smaller stream is made',
    );
    return ensureFitting(jetstream, logger, { ...definition, maxBytes }, replicas);
  }
};

/**
 * Makes the three streams, or brings existing ones to what they should keep (the original's QUOTAS kept one day).
 * @returns when the stream of events was created, in Unix ms.
 */
export const ensureStreams = async (
  jetstream: JetStream,
  logger: Logger,
  { stream, subject, replicas }: { stream: string; subject: string; replicas: number },
): Promise<number> => {
  const quotas = { ...STREAMS.QUOTAS, name: stream, subjects: [subject] };
  const createdMs = await ensureFitting(jetstream, logger, quotas, replicas);
  await Promise.all(
    [STREAMS.QUOTA_LATEST, STREAMS.DEADLETTER].map((one) => ensureFitting(jetstream, logger, one, replicas)),
  );
  return createdMs;
};

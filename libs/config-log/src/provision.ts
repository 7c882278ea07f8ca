import { STREAMS } from '@sluice/contracts';
import type { JetStream } from '@sluice/service-kit';

const BESIDE_THE_LOG = [
  ...[STREAMS.REVOCATIONS, STREAMS.API_KEYS, STREAMS.API_KEY_USES],
  ...[STREAMS.CONFIG_SNAPSHOTS, STREAMS.CONFIG_EVENTS, STREAMS.AUDIT],
];

/**
 * Creates the streams of the configuration, revocations, API keys and the audit, or brings them to their definition.
 * @returns the epoch a first commit of this log carries. It is the log stream's time of creation, so every
 * registry draws the same, and a log that was lost and created again gets another.
 */
export const provisionLog = async (jetstream: JetStream, replicas = 1): Promise<string> => {
  await Promise.all(BESIDE_THE_LOG.map((stream) => jetstream.ensureStream(stream, replicas)));
  const createdMs = await jetstream.ensureStream(STREAMS.CONFIG, replicas);
  return createdMs.toString(36);
};

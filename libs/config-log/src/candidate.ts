import { STREAMS } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import type { JetStream } from '@sluice/service-kit';
import { listCheckpoints } from './checkpoints.ts';
import type { Position } from './position.ts';
import { readManifest, readSnapshot, storeSnapshot } from './snapshots.ts';

/**
 * Stores a state that is not in the log and would come after `base`. It is stored as a commit's own snapshot is, which
 * nobody takes for the log's where the log does not name its digest.
 * @returns its id
 */
export const storeCandidate = async (
  jetstream: JetStream,
  state: ConfigState,
  { epoch, version, seq }: Position,
): Promise<string> => {
  const at = { epoch, version: version + 1, seq: seq + 1, digest: state.digest };
  return (await storeSnapshot(jetstream, state, at, true)).id;
};

/**
 * The state of that id; undefined when it is gone. Entities that `known` has in the same form are taken from there.
 * @throws DamagedState
 */
export const readCandidate = async (
  jetstream: JetStream,
  id: string,
  known: ConfigState,
): Promise<ConfigState | undefined> => {
  const manifest = await readManifest(jetstream, id);
  return manifest === undefined ? undefined : (await readSnapshot(jetstream, manifest, { known })).state;
};

export const dropCandidate = async (jetstream: JetStream, id: string): Promise<void> => {
  const found = (await listCheckpoints(jetstream)).find((checkpoint) => checkpoint.id === id);
  for (const part of found?.parts ?? []) await jetstream.purge(STREAMS.CONFIG_SNAPSHOTS.name, part);
};

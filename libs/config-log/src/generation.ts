import { STREAMS } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import type { JetStream } from '@sluice/service-kit';
import { type Checkpoint, checkpointsBefore, isStarting, listCheckpoints } from './checkpoints.ts';
import { LogReader, NotThereYet } from './log-reader.ts';
import { commitOf, type Position, type Replica, startOf } from './position.ts';
import { advance } from './rebuild.ts';
import { readManifest, readSnapshot } from './snapshots.ts';
import { DamagedState } from './state-codec.ts';

const IN_FLIGHT = 32; // direct gets
const MAX_FOREIGN = 1000; // messages before the first commit of the epoch

/** What an earlier version was made of is not kept any more. */
export class GenerationGone extends Error {}

/**
 * The whole state at an earlier version of the epoch that `end` stands in: the nearest snapshot not later, or `from`
 * where that is nearer (its state is changed), and the commits from there.
 * @param end where the log ends, as far as the caller knows; the version is not later
 * @throws GenerationGone
 */
export const generationAt = async (
  jetstream: JetStream,
  end: Position,
  version: number,
  from?: Replica,
): Promise<Replica> => {
  const log = new LogReader(jetstream);
  const base = await baseFor(jetstream, end, version, from);
  let replica = base;
  try {
    while (replica.position.version < version && replica.position.seq < end.seq) {
      const after = replica.position.seq;
      const count = Math.min(end.seq - after, version - replica.position.version, IN_FLIGHT);
      const seqs = Array.from({ length: count }, (_, index) => after + 1 + index);
      const commits = await Promise.all(seqs.map(async (at) => ({ at, commit: await log.at(at) })));
      for (const { at, commit } of commits)
        if (at > replica.position.seq) replica = await advance(log, replica, at, commit);
    }
  } catch (error) {
    if (!(error instanceof NotThereYet)) throw error;
    throw new GenerationGone(`the log has forgotten a commit before r${version}`, { cause: error });
  }
  if (replica.position.version === version) return replica;
  throw new GenerationGone(`nothing leads from r${base.position.version} to r${version}`);
};

const baseFor = async (
  jetstream: JetStream,
  end: Position,
  version: number,
  from: Replica | undefined,
): Promise<Replica> => {
  const { epoch } = end;
  const known = from?.position.epoch === epoch && from.position.version <= version ? from : undefined;
  for (const checkpoint of checkpointsBefore(await listCheckpoints(jetstream), { epoch, version })) {
    if (known !== undefined && known.position.version >= checkpoint.version) return known;
    const found = await readCheckpoint(jetstream, checkpoint, epoch);
    if (found !== undefined) return found;
  }
  const seq = Math.max(0, end.seq - end.version - MAX_FOREIGN);
  return known ?? { state: new ConfigState(), position: { ...startOf(epoch), seq } };
};

/** Undefined: it was removed meanwhile, is damaged, or is of a commit that lost against another's. */
const readCheckpoint = async (
  jetstream: JetStream,
  checkpoint: Checkpoint,
  epoch: string,
): Promise<Replica | undefined> => {
  const manifest = await readManifest(jetstream, checkpoint.id);
  if (manifest?.epoch !== epoch) return undefined;
  if (!isStarting(checkpoint)) {
    const message = await jetstream.readAt(STREAMS.CONFIG.name, manifest.seq);
    const commit = message === undefined ? undefined : commitOf(message)?.commit;
    if (commit?.epoch !== epoch || commit.version !== manifest.version || commit.digest !== manifest.digest)
      return undefined;
  }
  try {
    return await readSnapshot(jetstream, manifest);
  } catch (error) {
    if (error instanceof DamagedState) return undefined;
    throw error;
  }
};

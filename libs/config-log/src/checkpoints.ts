import { configSnapshotChunk, STREAMS, subjectFor } from '@sluice/contracts';
import type { JetStream } from '@sluice/service-kit';
import type { Position } from './position.ts';

/** How far back whole states can be rebuilt. */
export interface Retention {
  /** Newest versions. */
  readonly generations: number;
  /** Of all snapshots together; the oldest go first. */
  readonly bytes: number;
}

/** Bytes of a whole chunk: well below the server's 1 MiB per message. */
export const CHUNK_BYTES = 256 * 1024;
export const DEFAULT_RETENTION: Retention = { generations: 200, bytes: 512 * 1024 ** 2 };

/** Commits between two snapshots that are kept only to start from. */
const SPACING = 50;
/** Begins the last part of an id; an older registry's is hexadecimal and never begins so. */
const STARTING = 's';

/** A stored snapshot, as its id and the parts of it in the stream tell. */
export interface Checkpoint {
  readonly id: string;
  /** Of the epoch, as ids have it. */
  readonly epoch: string;
  readonly version: number;
  readonly parts: readonly string[];
}

const epochInIds = (epoch: string): string => epoch.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 24);

/** The subject of one part of a snapshot. */
export const partSubject = (id: string, part: number | string): string =>
  subjectFor(configSnapshotChunk, `${id}_${part}`);

/**
 * `<epoch>-<version>-<nonce>`, short enough for a subject token with its index. `isNamed`: a commit will name it, so
 * no other snapshot can stand in for it.
 */
export const newSnapshotId = ({ epoch, version }: Position, isNamed: boolean): string =>
  `${epochInIds(epoch)}-${version}-${isNamed ? '' : STARTING}${crypto.randomUUID().slice(0, 7)}`;

/** Every stored snapshot, the oldest first. */
export const listCheckpoints = async (jetstream: JetStream): Promise<Checkpoint[]> => {
  const { manager } = await jetstream.raw();
  const prefix = partSubject('x', 0).replace(/x_0$/, '');
  const info = await manager.streams.info(STREAMS.CONFIG_SNAPSHOTS.name, { subjects_filter: `${prefix}*` });
  const partsOf = Map.groupBy(Object.keys(info.state.subjects ?? {}), (subject) =>
    subject.slice(prefix.length).replace(/_[a-z0-9]+$/, ''),
  );
  return [...partsOf]
    .map(([id, parts]) => {
      const [epoch = '', version] = id.split('-');
      return { id, epoch, version: Number(version), parts };
    })
    .sort((a, b) => a.version - b.version);
};

/** The snapshots to rebuild a version from, the best first. */
export const checkpointsBefore = (
  checkpoints: readonly Checkpoint[],
  { epoch, version }: { epoch: string; version: number },
): Checkpoint[] =>
  checkpoints.filter((one) => one.epoch === epochInIds(epoch) && one.version <= version).reverse();

/**
 * The snapshots that nobody needs once `head` is the newest: those of other epochs, those before the kept
 * generations, those between two that are near enough, and the oldest beyond the bytes. Never the head, nor the one
 * it replaced (somebody may be reading it), nor later ones: a big commit stores its snapshot before it is in the log.
 */
export const outdatedCheckpoints = (
  checkpoints: readonly Checkpoint[],
  { head, before }: { head: Checkpoint; before: string | undefined },
  { generations, bytes }: Retention,
): Checkpoint[] => {
  const ofEpoch = checkpoints.filter(({ epoch }) => epoch === head.epoch);
  const oldest = Math.max(1, head.version - generations + 1);
  const start = ofEpoch.findLast(({ version }) => version <= oldest)?.version ?? 0;
  const needed = new Set(ofEpoch.filter(({ version }) => version > head.version));
  let last = Number.NEGATIVE_INFINITY;
  for (const one of ofEpoch) {
    if (one.version < start || needed.has(one)) continue;
    const isNear = one.version - last < SPACING && isStarting(one);
    if (isNear) continue;
    needed.add(one);
    last = one.version;
  }
  let left = bytes;
  for (const one of [...needed].sort((a, b) => b.version - a.version)) {
    left -= one.parts.length * CHUNK_BYTES;
    if (left < 0 && one.version <= head.version) needed.delete(one);
  }
  return checkpoints.filter((one) => one.id !== head.id && one.id !== before && !needed.has(one));
};

/** Kept only to start from: what it holds is what a follower had. */
export const isStarting = ({ id }: Checkpoint): boolean => id.split('-')[2]?.startsWith(STARTING) === true;

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { configSnapshotHead, STREAMS } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import { type JetStream, SequenceConflict, type StoredMessage } from '@sluice/service-kit';
import type { z } from 'zod';
import {
  CHUNK_BYTES,
  DEFAULT_RETENTION,
  listCheckpoints,
  newSnapshotId,
  outdatedCheckpoints,
  partSubject,
  type Retention,
} from './checkpoints.ts';
import type { Position, Replica } from './position.ts';
import { DamagedState, decodeState, encodeState, type ReadOptions } from './state-codec.ts';

const STREAM = STREAMS.CONFIG_SNAPSHOTS.name;
const ZIP_BUFFER_BYTES = 1024 * 1024; // Node's own 16 KiB cost 400 turns, half of the work, for 10,000 routes
const MAX_STATE_BYTES = 512 * 1024 * 1024; // a forged chunk must not blow up the reader
const MANIFEST = 'manifest';

export type SnapshotHead = z.output<typeof configSnapshotHead.payload>;

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Stores a state under an id of its own: chunks, then a manifest. Nobody finds it until the head or a commit
 * names it; `isNamed`: a commit will.
 */
export const storeSnapshot = async (
  jetstream: JetStream,
  state: ConfigState,
  position: Position,
  isNamed = false,
): Promise<SnapshotHead> => {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  const encoded = await encodeState(state, position);
  const zipped = await promisify(zstdCompress)(encoded, { params, chunkSize: ZIP_BUFFER_BYTES });
  const id = newSnapshotId(position, isNamed);
  const chunks = Math.ceil(zipped.length / CHUNK_BYTES);
  const head = { id, ...position, chunks, bytes: zipped.length, sha256: sha256Of(zipped) };
  const parts = Array.from({ length: chunks }, (_, index) =>
    jetstream.append(partSubject(id, index), zipped.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)),
  );
  // Together: nobody looks for the manifest before all are stored, and who finds it without a chunk calls it damaged.
  await Promise.all([...parts, jetstream.append(partSubject(id, MANIFEST), JSON.stringify(head))]);
  return head;
};

/** The head as it stands and its own sequence, for the compare-and-set; undefined before the first snapshot. */
export const readHead = async (
  jetstream: JetStream,
): Promise<{ head: SnapshotHead; seq: number } | undefined> => {
  const message = await jetstream.readLast(STREAM, configSnapshotHead.subject);
  const head = message === undefined ? undefined : headOf(message);
  return message === undefined || head === undefined ? undefined : { head, seq: message.seq };
};

/**
 * Makes a stored snapshot the newest, unless one of a later version is there already: two registries never put
 * each other back. Snapshots that nobody can still want are removed.
 * @returns false when a newer head stands.
 */
export const promoteSnapshot = async (
  jetstream: JetStream,
  head: SnapshotHead,
  retention: Retention = DEFAULT_RETENTION,
): Promise<boolean> => {
  for (;;) {
    const last = await jetstream.readLast(STREAM, configSnapshotHead.subject);
    const before = last === undefined ? undefined : headOf(last);
    if (before?.epoch === head.epoch && before.version >= head.version) return false;
    try {
      await jetstream.append(configSnapshotHead.subject, JSON.stringify(head), {
        expectLastSubjectSequence: last?.seq ?? 0,
      });
    } catch (error) {
      if (error instanceof SequenceConflict) continue;
      throw error;
    }
    await purgeOutdated(jetstream, { head, before }, retention);
    return true;
  }
};

/** Stores a state and makes it the newest snapshot. */
export const writeSnapshot = async (
  jetstream: JetStream,
  state: ConfigState,
  position: Position,
  retention?: Retention,
): Promise<boolean> => promoteSnapshot(jetstream, await storeSnapshot(jetstream, state, position), retention);

/**
 * The state a head or manifest names.
 * @throws DamagedState when a chunk is missing or changed.
 */
export const readSnapshot = async (
  jetstream: JetStream,
  head: SnapshotHead,
  options?: ReadOptions,
): Promise<Replica> => {
  const parts = await Promise.all(
    Array.from({ length: head.chunks }, (_, index) =>
      jetstream.readLast(STREAM, partSubject(head.id, index)),
    ),
  );
  const present = parts.filter((part) => part !== undefined);
  if (present.length !== head.chunks) throw new DamagedState(`snapshot ${head.id} has lost a chunk`);
  const zipped = Buffer.concat(present.map((part) => part.data));
  if (sha256Of(zipped) !== head.sha256) throw new DamagedState(`snapshot ${head.id} has a wrong checksum`);
  const bounds = { maxOutputLength: MAX_STATE_BYTES, chunkSize: ZIP_BUFFER_BYTES };
  const text = await promisify(zstdDecompress)(zipped, bounds);
  const replica = await decodeState(text, options);
  if (replica.position.digest !== head.digest)
    throw new DamagedState(`snapshot ${head.id} has a wrong digest`);
  return { state: replica.state, position: positionOf(head) };
};

/** The manifest of one stored snapshot; undefined when it is gone. */
export const readManifest = async (jetstream: JetStream, id: string): Promise<SnapshotHead | undefined> => {
  const message = await jetstream.readLast(STREAM, partSubject(id, MANIFEST));
  return message === undefined ? undefined : headOf(message);
};

const positionOf = ({ epoch, version, seq, digest }: SnapshotHead): Position => ({
  epoch,
  version,
  seq,
  digest,
});

const headOf = (message: StoredMessage): SnapshotHead | undefined => {
  try {
    return configSnapshotHead.payload.parse(JSON.parse(new TextDecoder().decode(message.data)));
  } catch {
    return undefined;
  }
};

const purgeOutdated = async (
  jetstream: JetStream,
  { head, before }: { head: SnapshotHead; before: SnapshotHead | undefined },
  retention: Retention,
): Promise<void> => {
  const checkpoints = await listCheckpoints(jetstream);
  const standing = checkpoints.find(({ id }) => id === head.id);
  if (standing === undefined) return; // a newer one has outdated it
  const outdated = outdatedCheckpoints(checkpoints, { head: standing, before: before?.id }, retention);
  for (const { parts } of outdated) for (const part of parts) await jetstream.purge(STREAM, part);
};

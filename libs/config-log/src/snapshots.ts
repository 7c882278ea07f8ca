import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { configSnapshotChunk, configSnapshotHead, STREAMS, subjectFor } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import { type JetStream, SequenceConflict, type StoredMessage } from '@sluice/service-kit';
import type { z } from 'zod';
import type { Position, Replica } from './position.ts';
import { DamagedState, decodeState, encodeState, type ReadOptions } from './state-codec.ts';

const STREAM = STREAMS.CONFIG_SNAPSHOTS.name;
const CHUNK_BYTES = 256 * 1024; // well below the server's 1 MiB per message
const ZIP_BUFFER_BYTES = 1024 * 1024; // Node's own 16 KiB cost 400 turns, half of the work, for 10,000 routes
const MAX_STATE_BYTES = 512 * 1024 * 1024; // a forged chunk must not blow up the reader
const MANIFEST = 'manifest';

export type SnapshotHead = z.output<typeof configSnapshotHead.payload>;

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const partSubject = (id: string, part: number | string): string =>
  subjectFor(configSnapshotChunk, `${id}_${part}`);

/** `<epoch>-<version>-<nonce>`, short enough for a subject token with its index. */
const newId = ({ epoch, version }: Position): string =>
  `${epoch.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 24)}-${version}-${crypto.randomUUID().slice(0, 8)}`;

/**
 * Stores a state under an id of its own: chunks, then a manifest. Nobody finds it until the head or a commit
 * names it.
 */
export const storeSnapshot = async (
  jetstream: JetStream,
  state: ConfigState,
  position: Position,
): Promise<SnapshotHead> => {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  const encoded = await encodeState(state, position);
  const zipped = await promisify(zstdCompress)(encoded, { params, chunkSize: ZIP_BUFFER_BYTES });
  const id = newId(position);
  const chunks = Math.ceil(zipped.length / CHUNK_BYTES);
  await Promise.all(
    Array.from({ length: chunks }, (_, index) =>
      jetstream.append(
        partSubject(id, index),
        zipped.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
      ),
    ),
  );
  const head = { id, ...position, chunks, bytes: zipped.length, sha256: sha256Of(zipped) };
  await jetstream.append(partSubject(id, MANIFEST), JSON.stringify(head));
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
 * each other back. Chunks that no reader can still want are removed.
 * @returns false when a newer head stands.
 */
export const promoteSnapshot = async (jetstream: JetStream, head: SnapshotHead): Promise<boolean> => {
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
    await purgeChunks(jetstream, head, before);
    return true;
  }
};

/** Stores a state and makes it the newest snapshot. */
export const writeSnapshot = async (
  jetstream: JetStream,
  state: ConfigState,
  position: Position,
): Promise<boolean> => promoteSnapshot(jetstream, await storeSnapshot(jetstream, state, position));

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

/**
 * Removes the snapshots that the new head outdates, but not the one it replaced: somebody may be reading it.
 * Later versions stay: a big commit stores its snapshot before it is in the log.
 */
const purgeChunks = async (
  jetstream: JetStream,
  head: SnapshotHead,
  before: SnapshotHead | undefined,
): Promise<void> => {
  const { manager } = await jetstream.raw();
  const prefix = partSubject('x', 0).replace(/x_0$/, '');
  const info = await manager.streams.info(STREAM, { subjects_filter: `${prefix}*` });
  const [epoch] = head.id.split('-');
  for (const subject of Object.keys(info.state.subjects ?? {})) {
    const id = subject.slice(prefix.length).replace(/_[a-z0-9]+$/, '');
    if (id === head.id || id === before?.id) continue;
    const [ofEpoch, version] = id.split('-');
    if (ofEpoch !== epoch || Number(version) <= head.version) await jetstream.purge(STREAM, subject);
  }
};

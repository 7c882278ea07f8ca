import { type ConfigCommit, configCommitted, type Kind, STREAMS } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import type { JetStream } from '@sluice/service-kit';
import { commitOf, type Replica } from './position.ts';
import { readHead, readManifest, readSnapshot } from './snapshots.ts';

const STREAM = STREAMS.CONFIG.name;
const FIRST_PROBE_MS = 250;
const LAST_PROBE_MS = 2000;
const LONGEST_WALK = 1000; // foreign messages at the end of the log that are passed over

/** A message that must be there is not: a lagging replica answered. Worth another try. */
export class NotThereYet extends Error {}

/** One place of the log: its commit, or nothing when the message there is not one. */
export type Entry = ConfigCommit | undefined;

/** The end of the log: its newest commit and the last sequence, which is later when foreign messages follow. */
export interface LogEnd {
  readonly commit: ConfigCommit;
  readonly commitSeq: number;
  readonly lastSeq: number;
}

/** Direct gets on the log: no consumer, hence no right to create one. */
export class LogReader {
  readonly #jetstream: JetStream;
  readonly #kinds: ReadonlySet<Kind> | undefined;
  #probeMs = FIRST_PROBE_MS;
  #expected: { readonly id: string; readonly state: ConfigState } | undefined;
  gets = 0;

  /** `kinds`: those that are read of snapshots; the others when somebody asks for them. */
  constructor(jetstream: JetStream, kinds?: ReadonlySet<Kind>) {
    this.#jetstream = jetstream;
    this.#kinds = kinds;
  }

  /** The newest commit, passing over garbage and over what `isIgnored`; undefined for a log without one. */
  async end(isIgnored: (seq: number, commit: ConfigCommit) => boolean): Promise<LogEnd | undefined> {
    this.gets += 1;
    // A stream that does not exist yet does not answer at all, so the first question is asked again soon.
    const probeMs = this.#probeMs;
    this.#probeMs = Math.min(probeMs * 2, LAST_PROBE_MS);
    const last = await this.#jetstream.readLast(STREAM, configCommitted.subject, probeMs);
    this.#probeMs = FIRST_PROBE_MS;
    let message = last;
    for (let step = 0; message !== undefined && last !== undefined && step < LONGEST_WALK; step++) {
      const commit = commitOf(message)?.commit;
      if (commit !== undefined && !isIgnored(message.seq, commit))
        return { commit, commitSeq: message.seq, lastSeq: last.seq };
      this.gets += 1;
      message = message.seq === 1 ? undefined : await this.#jetstream.readAt(STREAM, message.seq - 1);
    }
    return undefined;
  }

  /** @throws NotThereYet */
  async at(seq: number): Promise<Entry> {
    this.gets += 1;
    const message = await this.#jetstream.readAt(STREAM, seq);
    if (message === undefined) throw new NotThereYet(`sequence ${seq} of the configuration log`);
    return commitOf(message)?.commit;
  }

  /** The newest snapshot of an epoch; undefined when there is none. */
  async newestSnapshot(epoch: string, known?: ConfigState): Promise<Replica | undefined> {
    const found = await readHead(this.#jetstream);
    const kinds = this.#kinds;
    return found?.head.epoch === epoch
      ? readSnapshot(this.#jetstream, found.head, { known, kinds })
      : undefined;
  }

  /** What the snapshot of that id holds, for a process that wrote it itself; the state becomes the reader's. */
  expect(id: string, state: ConfigState): void {
    this.#expected = { id, state };
  }

  /**
   * The state after a commit that names a snapshot instead of carrying its operations; when that one is gone,
   * a newer one. Entities that `known` has in the same form are taken from there.
   * @throws NotThereYet
   */
  async stateAfter(commit: ConfigCommit, seq: number, known?: ConfigState): Promise<Replica> {
    const { epoch, version, digest } = commit;
    const expected = this.#expected;
    this.#expected = undefined;
    if (expected?.id === commit.snapshotId && expected?.state.digest === digest)
      return { state: expected.state, position: { epoch, version, seq, digest } };
    const manifest = await readManifest(this.#jetstream, commit.snapshotId ?? '');
    if (manifest?.digest === commit.digest) {
      const { state } = await readSnapshot(this.#jetstream, manifest, { known, kinds: this.#kinds }).catch(
        () => ({
          state: undefined,
        }),
      );
      if (state !== undefined) return { state, position: { epoch, version, seq, digest } };
    }
    const newest = await this.newestSnapshot(epoch, known);
    if (newest !== undefined && newest.position.version >= version) return newest;
    throw new NotThereYet(`snapshot ${commit.snapshotId} of version ${version}`);
  }
}

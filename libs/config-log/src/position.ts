import { type ConfigCommit, configCommitted } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import type { StoredMessage } from '@sluice/service-kit';

/** Where a state stands in the log. */
export interface Position {
  /** Drawn when the log is created; empty before anything was heard of it. */
  readonly epoch: string;
  /** Commits since the epoch began. */
  readonly version: number;
  /** Sequence in the stream; larger than `version` when foreign messages were skipped. */
  readonly seq: number;
  /** Of the whole state, 64 hex characters. */
  readonly digest: string;
}

/** A whole state and where it stands. */
export interface Replica {
  readonly state: ConfigState;
  readonly position: Position;
}

export const EMPTY_DIGEST = '0'.repeat(64);

/** Before the first commit of an epoch. */
export const startOf = (epoch: string): Position => ({ epoch, version: 0, seq: 0, digest: EMPTY_DIGEST });

/** A commit and who made it when. */
export interface StoredCommit {
  readonly eventId: string;
  readonly occurredAt: string;
  readonly actor: string;
  readonly commit: ConfigCommit;
}

/** The commit of a stored message; undefined when the message is not a commit at all. */
export const commitOf = (message: Pick<StoredMessage, 'data'>): StoredCommit | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(message.data));
  } catch {
    return undefined;
  }
  const parsed = configCommitted.payload.safeParse(json);
  if (!parsed.success) return undefined;
  const { eventId, occurredAt, actor, payload } = parsed.data;
  return { eventId, occurredAt, actor: actor ?? 'unknown', commit: payload };
};

export type Judgement = 'next' | 'foreign' | 'bad-digest';

/**
 * Whether a commit continues a state. It depends on nothing else, so all followers decide alike: what one skips
 * every other skips too.
 */
export const judge = ({ state, position }: Replica, commit: ConfigCommit): Judgement => {
  const continues =
    commit.epoch === position.epoch &&
    commit.prevVersion === position.version &&
    commit.version === position.version + 1;
  if (!continues) return 'foreign';
  if (commit.snapshotId !== undefined) return 'next';
  return state.digestAfter(commit.ops) === commit.digest ? 'next' : 'bad-digest';
};

/** Where a state stands after a commit at a sequence. */
export const positionAfter = ({ epoch, version, digest }: ConfigCommit, seq: number): Position => ({
  epoch,
  version,
  seq,
  digest,
});

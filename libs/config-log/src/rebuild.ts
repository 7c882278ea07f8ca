import type { ConfigCommit } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import type { Entry, LogReader } from './log-reader.ts';
import { judge, positionAfter, type Replica, startOf } from './position.ts';

/** One place of the log as it was read. */
export interface Read {
  readonly seq: number;
  readonly commit: Entry;
}

export interface Rebuild {
  readonly log: LogReader;
  readonly epoch: string;
  /** Last sequence to take; it may grow while this runs. */
  readonly target: () => number;
  readonly batch: (after: number, target: number) => Promise<readonly Read[]>;
  readonly onBadDigest: () => void;
}

/** A whole state beside the current one: the newest snapshot of the epoch, or nothing, and the log from there. */
export const rebuild = async (work: Rebuild): Promise<Replica> => {
  const { log, epoch, target } = work;
  let replica: Replica = (await log.newestSnapshot(epoch)) ?? {
    state: new ConfigState(),
    position: startOf(epoch),
  };
  while (replica.position.seq < target())
    for (const { seq, commit } of await work.batch(replica.position.seq, target()))
      if (seq > replica.position.seq) replica = await advance(log, replica, seq, commit, work.onBadDigest);
  return replica;
};

/** One step of a state nobody else sees; what is no commit of its chain only moves the sequence. */
export const advance = async (
  log: LogReader,
  { state, position }: Replica,
  seq: number,
  commit: ConfigCommit | undefined,
  onBadDigest?: () => void,
): Promise<Replica> => {
  const judgement = commit === undefined ? 'foreign' : judge({ state, position }, commit);
  // A state fresh from a snapshot is right, so it is the message that lies.
  if (judgement === 'bad-digest') onBadDigest?.();
  if (commit === undefined || judgement !== 'next') return { state, position: { ...position, seq } };
  if (commit.snapshotId !== undefined) return log.stateAfter(commit, seq);
  state.apply(commit.ops);
  return { state, position: positionAfter(commit, seq) };
};

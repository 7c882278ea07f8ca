import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConfigCommit, type ConfigOp, configCommitted, STREAMS } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import { type JetStream, SequenceConflict } from '@sluice/service-kit';
import type { Retention } from './checkpoints.ts';
import { commitOf, type Position } from './position.ts';
import { promoteSnapshot, storeSnapshot } from './snapshots.ts';

const STREAM = STREAMS.CONFIG.name;
const MAX_OPS_BYTES = 512 * 1024; // the server takes 1 MiB a message; envelope and escapes need room
const ANSWER_TIMEOUT_MS = 500; // repeating is harmless, so a lost answer need not be waited for long
const GIVE_UP_AFTER_MS = 10_000;
const RETRY_MS = 100;

export interface AppendRequest {
  readonly jetstream: JetStream;
  /** Where the writer stands: the commit is stored only if the log's last message is at `base.seq`. */
  readonly base: Position;
  /** The state at `base`; not changed. */
  readonly state: ConfigState;
  readonly ops: readonly ConfigOp[];
  /** The state the operations lead to, where the writer has it already; not changed. */
  readonly after?: ConfigState | undefined;
  /** Told what a snapshot holds before the log names it: the own follower need not read it back. */
  readonly onSnapshot?: ((id: string, state: ConfigState) => void) | undefined;
  readonly actor: string;
  readonly message?: string | undefined;
  /** Address of the connection that asked. */
  readonly sourceAddress?: string | undefined;
  /** Version whose state these operations bring back. */
  readonly rollbackOf?: number | undefined;
  /** What of the past stays when this commit brings a snapshot. */
  readonly retention?: Retention | undefined;
  /** Makes a repeated request one commit; drawn when absent. */
  readonly eventId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly giveUpAfterMs?: number | undefined;
}

export type Appended =
  | { readonly outcome: 'committed'; readonly commit: ConfigCommit; readonly seq: number }
  /** Somebody else wrote first, or the log is another one now: catch up and decide again. */
  | { readonly outcome: 'conflict' };

/** The log did not answer in time: the commit may or may not be stored. */
export class LogUnavailable extends Error {}

/**
 * Appends one commit. An answer that got lost is looked for in the log before anything is concluded: the
 * server's word for a repeated publish differs between versions (duplicate, or wrong last sequence).
 * @throws LogUnavailable
 */
export const appendCommit = async (request: AppendRequest): Promise<Appended> => {
  const eventId = request.eventId ?? randomUUIDv7();
  const deadline = performance.now() + (request.giveUpAfterMs ?? GIVE_UP_AFTER_MS);
  const { commit, promote } = await prepared(request, deadline);
  const envelope = {
    eventId,
    occurredAt: new Date().toISOString(),
    tenantId: '*',
    platformId: 'sluice',
    correlationId: request.correlationId ?? eventId,
    actor: request.actor,
    payload: commit,
  };
  const seq = await store(request, JSON.stringify(envelope), eventId, deadline);
  if (seq === undefined) return { outcome: 'conflict' };
  await promote();
  return { outcome: 'committed', commit, seq };
};

const prepared = async (
  request: AppendRequest,
  deadline: number,
): Promise<{ commit: ConfigCommit; promote: () => Promise<void> }> => {
  const { base, state, ops, message, rollbackOf, sourceAddress } = request;
  const isBig = isBiggerThan(MAX_OPS_BYTES, ops);
  const after = isBig ? (request.after ?? stateAfter(state, ops)) : undefined;
  const commit: ConfigCommit = {
    epoch: base.epoch,
    version: base.version + 1,
    prevVersion: base.version,
    digest: after?.digest ?? state.digestAfter(ops),
    kind: rollbackOf === undefined ? 'delta' : 'rollback',
    ops: isBig ? [] : [...ops],
    counts: countsOf(state, ops),
    ...(message === undefined ? {} : { message }),
    ...(rollbackOf === undefined ? {} : { rollbackOf }),
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
  };
  return after === undefined
    ? { commit, promote: async () => {} }
    : keptInSnapshot(request, { commit, after, deadline });
};

const countsOf = (state: ConfigState, ops: readonly ConfigOp[]): NonNullable<ConfigCommit['counts']> => {
  const counts = { added: 0, changed: 0, removed: 0 };
  for (const { op, kind, id } of ops)
    counts[op === 'delete' ? 'removed' : state.has(kind, id) ? 'changed' : 'added'] += 1;
  return counts;
};

/** Stops counting once it knows. */
const isBiggerThan = (maxBytes: number, ops: readonly ConfigOp[]): boolean => {
  let bytes = 0;
  for (const op of ops) {
    bytes += Buffer.byteLength(JSON.stringify(op));
    if (bytes > maxBytes) return true;
  }
  return false;
};

const stateAfter = (state: ConfigState, ops: readonly ConfigOp[]): ConfigState => {
  const after = state.clone();
  after.apply(ops);
  return after;
};

const keptInSnapshot = async (
  { jetstream, base, onSnapshot, retention }: AppendRequest,
  { commit, after, deadline }: { commit: ConfigCommit; after: ConfigState; deadline: number },
): Promise<{ commit: ConfigCommit; promote: () => Promise<void> }> => {
  const { epoch, version, digest } = commit;
  const head = await untilDeadline(deadline, () =>
    storeSnapshot(jetstream, after, { epoch, version, seq: base.seq + 1, digest }, true),
  );
  onSnapshot?.(head.id, after);
  return {
    commit: { ...commit, kind: commit.kind === 'delta' ? 'snapshot' : commit.kind, snapshotId: head.id },
    // The commit is in the log already: a head that stays behind costs readers time, nothing else.
    promote: () =>
      promoteSnapshot(jetstream, head, retention).then(
        () => undefined,
        () => undefined,
      ),
  };
};

/** @returns the sequence of the own message, or undefined for a conflict. */
const store = async (
  { jetstream, base }: AppendRequest,
  data: string,
  eventId: string,
  deadline: number,
): Promise<number | undefined> => {
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const { seq } = await jetstream.append(configCommitted.subject, data, {
        msgId: eventId,
        expectLastSubjectSequence: base.seq,
        timeoutMs: ANSWER_TIMEOUT_MS,
      });
      return seq;
    } catch (error) {
      cause = error;
      const found = await whatStands(jetstream, base, eventId).catch(() => 'unknown' as const);
      if (found === 'own') return base.seq + 1;
      if (found === 'other' || (found === 'shorter' && error instanceof SequenceConflict)) return undefined;
    }
    await sleep(RETRY_MS);
  }
  throw new LogUnavailable('the configuration log did not confirm the commit', { cause });
};

/** The expected sequence leaves the own commit one possible place, so one look is enough. */
const whatStands = async (
  jetstream: JetStream,
  base: Position,
  eventId: string,
): Promise<'own' | 'other' | 'nothing' | 'shorter'> => {
  const next = await jetstream.readAt(STREAM, base.seq + 1, ANSWER_TIMEOUT_MS);
  if (next !== undefined) return commitOf(next)?.eventId === eventId ? 'own' : 'other';
  const last = await jetstream.readLast(STREAM, configCommitted.subject, ANSWER_TIMEOUT_MS);
  return (last?.seq ?? 0) < base.seq ? 'shorter' : 'nothing';
};

const untilDeadline = async <T>(deadline: number, attempt: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline)
        throw new LogUnavailable('the snapshot of the commit could not be stored', { cause: error });
      await sleep(RETRY_MS);
    }
  }
};

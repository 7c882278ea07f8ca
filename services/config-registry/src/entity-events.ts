import { commitOf, type Replica, type StoredCommit, stateAt } from '@sluice/config-log';
import { type ConfigOp, entityEvents, KINDS, STREAMS, subjectFor } from '@sluice/contracts';
import { type ConfigState, diffStates, redactEntity } from '@sluice/gateway-config';
import {
  type BatchConsumer,
  consumeBatches,
  type Delivery,
  type JetStream,
  type Logger,
} from '@sluice/service-kit';
import type { AuditLog } from './audit/audit-log.ts';
import { type KnownOp, noteOfCommit } from './audit/commit-record.ts';

type Entity = Readonly<Record<string, unknown>>;

const ACK_WAIT_MS = 60_000;
const IN_FLIGHT = 32; // events stored at once

interface Parts {
  readonly jetstream: JetStream;
  readonly audit: AuditLog;
  /** Settles when the edges have a version, or after a while: events of a large change must not delay it. */
  readonly untilLive: (epoch: string, version: number) => Promise<unknown>;
  readonly logger: Logger;
}

/**
 * Tells the audit of each commit, and derives `config.route.created` and its like from the log, for readers outside the gateway. All registries share
 * one durable consumer and it hands out one commit at a time, so events come in the log's order; each has a message
 * id made of its place in the log, so one that is derived twice is stored once.
 */
export const deriveEntityEvents = (parts: Parts): BatchConsumer => {
  /** The state before the next commit; commits that another registry derived are read from the log. */
  let before: Replica | undefined;
  return consumeBatches(parts.jetstream, {
    stream: STREAMS.CONFIG.name,
    durable: 'config-events',
    ackWaitMs: ACK_WAIT_MS,
    maxAckPending: 1,
    maxBatch: 1,
    logger: parts.logger,
    onBatch: async (deliveries) => {
      for (const delivery of deliveries) {
        before = await derive(parts, delivery, before);
        delivery.ack();
      }
    },
  });
};

/** @returns the state after the commit. */
const derive = async (
  { jetstream, audit, logger, untilLive }: Parts,
  delivery: Delivery,
  known: Replica | undefined,
): Promise<Replica | undefined> => {
  const stored = commitOf(delivery);
  if (stored === undefined) {
    logger.warn({ seq: delivery.seq }, 'message in the configuration log is no commit, no events derived');
    return known;
  }
  const { epoch, version, snapshotId } = stored.commit;
  if (snapshotId !== undefined) await untilLive(epoch, version);
  const before = await stateAt(jetstream, epoch, delivery.seq - 1, known);
  const isRepeated = delivery.deliveryCount > 1;
  if (before.position.version >= version) {
    // Its events are told by the commits of the newer snapshot; what stood there before it is not known any more.
    const known = stored.commit.ops.map((op) => ({ op, before: undefined }));
    await audit.append(noteOfCommit(stored, known, isRepeated));
    return before;
  }
  const existed = snapshotId === undefined ? withBefore(before.state, stored.commit.ops) : undefined;
  const copy = snapshotId === undefined ? undefined : before.state.clone();
  const after = await stateAt(jetstream, epoch, delivery.seq, before);
  if (after.position.version < version) return after; // a message that no chain leads to
  const ops = existed ?? (copy === undefined ? [] : withBefore(copy, diffStates(copy, after.state)));
  await audit.append(noteOfCommit(stored, ops, isRepeated));
  await publish(jetstream, stored, ops);
  return after;
};

/** What stands there now, before the operations are applied. */
const withBefore = (state: ConfigState, ops: readonly ConfigOp[]): KnownOp[] =>
  ops.map((op) => ({ op, before: state.get(op.kind, op.id) as Entity | undefined }));

const publish = async (
  jetstream: JetStream,
  { commit, occurredAt, actor }: StoredCommit,
  ops: readonly KnownOp[],
): Promise<void> => {
  const { epoch, version } = commit;
  const store = ({ op, before }: KnownOp, index: number) => {
    const action = op.op === 'delete' ? 'deleted' : before === undefined ? 'created' : 'updated';
    const eventId = `${epoch}:${version}:${index}`;
    const entity = op.op === 'delete' ? null : { ...redactEntity(op.kind, op.entity), id: op.id };
    const payload = { epoch, version, index, of: ops.length, collection: op.kind, id: op.id, entity };
    const event = { eventId, occurredAt, tenantId: '*', platformId: 'sluice', actor, payload };
    const subject = subjectFor(entityEvents[KINDS[op.kind]], action);
    return jetstream.append(subject, JSON.stringify(event), { msgId: eventId });
  };
  for (let at = 0; at < ops.length; at += IN_FLIGHT)
    await Promise.all(ops.slice(at, at + IN_FLIGHT).map((op, index) => store(op, at + index)));
};

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

const ACK_WAIT_MS = 60_000;
const IN_FLIGHT = 32; // events stored at once

interface Parts {
  readonly jetstream: JetStream;
  /** Settles when the edges have a version, or after a while: events of a large change must not delay it. */
  readonly untilLive: (epoch: string, version: number) => Promise<unknown>;
  readonly logger: Logger;
}

/**
 * Derives `config.route.created` and its like from the log, for readers outside the gateway. All registries share
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
  { jetstream, logger, untilLive }: Parts,
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
  if (before.position.version >= version) return before; // it is told by the commits of the newer snapshot
  const existed = new Set(stored.commit.ops.filter((op) => has(before.state, op)));
  const copy = snapshotId === undefined ? undefined : before.state.clone();
  const after = await stateAt(jetstream, epoch, delivery.seq, before);
  if (after.position.version < version) return after; // a message that no chain leads to
  const ops = copy === undefined ? stored.commit.ops : diffStates(copy, after.state);
  const wasThere = (op: ConfigOp) => (copy === undefined ? existed.has(op) : has(copy, op));
  await publish(jetstream, stored, ops, wasThere);
  return after;
};

const has = (state: ConfigState, { kind, id }: ConfigOp): boolean => state.get(kind, id) !== undefined;

const publish = async (
  jetstream: JetStream,
  { commit, occurredAt, actor }: StoredCommit,
  ops: readonly ConfigOp[],
  wasThere: (op: ConfigOp) => boolean,
): Promise<void> => {
  const { epoch, version } = commit;
  const store = (op: ConfigOp, index: number) => {
    const action = op.op === 'delete' ? 'deleted' : wasThere(op) ? 'updated' : 'created';
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

import { setTimeout as sleep } from 'node:timers/promises';
import { type DecisionRecord, decisionRecorded, STREAMS } from '@sluice/contracts';
import { consumeBatches, type Delivery, type JetStream, type Logger } from '@sluice/service-kit';
import type { AuditLog, Note } from './audit-log.ts';

/** Refusals for what a caller asked or who it is. A wrong key, a limit and a fault are everyday, and stay in decisions. */
const TOLD: ReadonlySet<string> = new Set([
  'GW_FORBIDDEN',
  'GW_TENANT_MISMATCH',
  'GW_PROMPT_REFUSED',
  'GW_REQUEST_INVALID',
]);
/** After each record, in ms: what comes meanwhile is summed up, so that a flood of refusals is no flood of records. */
const PAUSE_PER_RECORD_MS = 100;
const MAX_MESSAGES = 1000;
/** Records of one turn; of more policies, routes and tenants the rest is told by one that counts them. */
const MAX_RECORDS = 50;
const MAX_REQUEST_IDS = 10;
const ACK_WAIT_MS = 60_000;

/** What one policy refused one tenant on one route. */
export interface RefusalGroup {
  readonly plugin: string | undefined;
  /** Id of the plugin entity. */
  readonly policy: string | undefined;
  readonly code: string;
  readonly route: string | undefined;
  /** As verified, else as claimed. */
  readonly tenant: string | undefined;
  count: number;
  readonly firstAt: string;
  lastAt: string;
  /** The first of them, for `sluice explain`. */
  readonly requestIds: string[];
}

/** Sums up the refusals by policies among decision records, in the order of their first one. */
export const refusalGroups = (records: Iterable<DecisionRecord>): RefusalGroup[] => {
  const groups = new Map<string, RefusalGroup>();
  for (const { refusal, plugins, route, tenant, at, requestId } of records) {
    if (refusal === undefined || !TOLD.has(refusal.code)) continue;
    const by = plugins.find(({ verdict }) => verdict === 'refused');
    const key = JSON.stringify([refusal.code, by?.id, route?.id, tenant]);
    const time = new Date(at).toISOString();
    const known = groups.get(key);
    const group: RefusalGroup = known ?? {
      ...{ plugin: by?.plugin, policy: by?.id, code: refusal.code, route: route?.name ?? route?.id, tenant },
      ...{ count: 0, firstAt: time, lastAt: time, requestIds: [] },
    };
    if (known === undefined) groups.set(key, group);
    group.count += 1;
    group.lastAt = time;
    if (group.requestIds.length < MAX_REQUEST_IDS) group.requestIds.push(requestId);
  }
  return [...groups.values()];
};

const noteOf = (
  details: Record<string, unknown>,
  firstSeq: number,
  index: number,
  isRepeated: boolean,
): Note => ({
  ...{ actor: 'edge-proxy', eventId: `refusals:${firstSeq}:${index}`, isRepeated },
  entry: { action: 'policy.refused', outcome: 'refused', details },
});

/** One note for each group; many groups end in one that counts the rest. */
export const notesOf = (groups: readonly RefusalGroup[], firstSeq: number, isRepeated: boolean): Note[] => {
  const told = groups.length > MAX_RECORDS ? groups.slice(0, MAX_RECORDS - 1) : groups;
  const notes = told.map((group, i) => noteOf({ ...group }, firstSeq, i, isRepeated));
  if (told.length === groups.length) return notes;
  const rest = groups.slice(told.length);
  const count = rest.reduce((sum, group) => sum + group.count, 0);
  return [...notes, noteOf({ groupsLeftOut: rest.length, count }, firstSeq, told.length, isRepeated)];
};

const recordsIn = ({ data }: Delivery): readonly DecisionRecord[] => {
  try {
    const parsed = decisionRecorded.payload.safeParse(JSON.parse(Buffer.from(data).toString()));
    return parsed.data?.payload.records ?? [];
  } catch {
    return []; // not JSON: nobody's decision
  }
};

interface Parts {
  readonly jetstream: JetStream;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly logger: Logger;
}

/**
 * Tells the audit what policies refused, summed up: a chain of every refused request would be written by whoever sends
 * them. All registries share one durable consumer; a message is acknowledged when its records are stored, so a crash in
 * between may count a refusal twice, and never leaves one out.
 */
export const auditRefusals = ({ jetstream, audit, logger }: Parts): { stop(): Promise<void> } => {
  const stopping = new AbortController();
  const consumer = consumeBatches(jetstream, {
    stream: STREAMS.DECISIONS.name,
    durable: 'policy-refusals',
    ackWaitMs: ACK_WAIT_MS,
    maxAckPending: MAX_MESSAGES,
    maxBatch: MAX_MESSAGES,
    logger,
    onBatch: async (deliveries) => {
      const isRepeated = deliveries.some(({ deliveryCount }) => deliveryCount > 1);
      const groups = refusalGroups(deliveries.flatMap(recordsIn));
      const notes = notesOf(groups, deliveries[0]?.seq ?? 0, isRepeated);
      for (const note of notes) await audit.append(note);
      for (const delivery of deliveries) delivery.ack();
      const pauseMs = notes.length * PAUSE_PER_RECORD_MS;
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    },
  });
  return {
    stop: () => {
      stopping.abort();
      return consumer.stop();
    },
  };
};

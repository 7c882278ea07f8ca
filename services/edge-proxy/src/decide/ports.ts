import { randomUUID } from 'node:crypto';
import type { Consumer } from '@sluice/gateway-config';
import type { Exchange, Identity, Ports } from '@sluice/plugins';
import type { Logger } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import { noteAuth, noteBudget, noteFlag, noteQuota } from '../observe/decision-notes.ts';
import { logRecordOf } from '../observe/log-record.ts';
import type { EdgeMetrics } from '../observe/metrics.ts';
import { timelineOf } from '../observe/request-steps.ts';
import { adoptedTrace } from '../observe/tracing.ts';
import type { ShadowCopies } from '../shadow/copies.ts';
import type { CompiledConfig } from '../snapshot/compile.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { Decisions } from './decisions.ts';
import type { LogSinks } from './log-sinks.ts';
import type { UnitCounters } from './unit-counters.ts';

/** What this edge keeps for plugins between requests. */
export interface Stores {
  readonly answers: AnswerCache;
  readonly units: UnitCounters;
  readonly sinks: LogSinks;
  readonly shadow: ShadowCopies;
  readonly tracing: Ports['tracing'];
  /** Name of this edge. */
  readonly instance: string;
}

/** What plugins may ask, answered by this edge. Every exchange that a plugin sees is one of ours. */
export const createPorts = (
  decisions: Decisions,
  metrics: EdgeMetrics,
  logger: Logger,
  current: () => CompiledConfig | undefined,
  { answers, units, sinks, shadow, tracing, instance }: Stores,
): Ports => ({
  findConsumer: (idOrUsername) => consumerOf(current()?.consumer(idOrUsername)),
  groupsOf: (consumerId) => current()?.groups.of(consumerId) ?? [],
  verifyCredential: (exchange, pluginId, credential) =>
    noteAuth(own(exchange), decisions.verifyCredential(own(exchange), pluginId, credential)),
  spendBudget: (exchange, key, limits, isExact = false) =>
    noteBudget(own(exchange), key, decisions.spendBudget(own(exchange), key, limits, isExact)),
  readQuota: (exchange, quotaKey) =>
    noteQuota(own(exchange), quotaKey, decisions.readQuota(own(exchange), quotaKey)),
  count: (metric, labels) =>
    metric === 'plugin_errors' ? metrics.pluginFailed(labels ?? {}) : metrics.pluginEvent(metric),
  flag: (exchange, finding) => noteFlag(own(exchange), finding),
  log: (level, message, fields) => {
    if (logger.isLevelEnabled(level)) logger[level]({ ...fields }, message);
  },
  recallAnswer: (key) => answers.recall(key),
  rememberAnswer: (key, answer, keepSeconds) => answers.remember(key, answer, keepSeconds),
  countedUnits: (key, period) => units.counted(key, period),
  countUnits: (key, periods, amount) => units.count(key, periods, amount),
  logRecord: (exchange) => {
    const { id } = exchange.identity?.consumer ?? {};
    return logRecordOf(own(exchange), id === undefined ? undefined : current()?.consumer(id));
  },
  writeLog: (sinkKey, sink, record) => sinks.write(sinkKey, sink, record),
  send: (sinkKey, sink, entry) => sinks.send(sinkKey, sink, entry),
  shadow,
  tracing,
  adoptTrace: (exchange, { ids, ...trace }) => {
    const mine = own(exchange);
    mine.trace = adoptedTrace(mine.trace, trace);
    mine.adoptedTraceIds = { ...mine.adoptedTraceIds, ...ids };
  },
  timeline: (exchange) => timelineOf(own(exchange), instance),
  uuid: randomUUID,
});

const consumerOf = (consumer: Consumer | undefined): Identity['consumer'] =>
  consumer && {
    id: consumer.id,
    username: consumer.username ?? undefined,
    customId: consumer.custom_id ?? undefined,
  };

const own = (exchange: Exchange): ProxyExchange => exchange as ProxyExchange;

import { randomUUID } from 'node:crypto';
import type { Consumer } from '@sluice/gateway-config';
import type { Exchange, Identity, Ports } from '@sluice/plugins';
import type { Logger } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import type { EdgeMetrics } from '../observe/metrics.ts';
import type { CompiledConfig } from '../snapshot/compile.ts';
import type { Decisions } from './decisions.ts';

/** What plugins may ask, answered by this edge. Every exchange that a plugin sees is one of ours. */
export const createPorts = (
  decisions: Decisions,
  metrics: EdgeMetrics,
  logger: Logger,
  current: () => CompiledConfig | undefined,
): Ports => ({
  findConsumer: (idOrUsername) => consumerOf(current()?.consumer(idOrUsername)),
  groupsOf: (consumerId) => current()?.groups.of(consumerId) ?? [],
  verifyCredential: (exchange, pluginId, credential) =>
    decisions.verifyCredential(own(exchange), pluginId, credential),
  spendBudget: (exchange, key, limits) => decisions.spendBudget(own(exchange), key, limits),
  readQuota: (exchange, quotaKey) => decisions.readQuota(own(exchange), quotaKey),
  count: (metric) => metrics.pluginEvent(metric),
  log: (level, message, fields) => logger[level]({ ...fields }, message),
  uuid: randomUUID,
});

const consumerOf = (consumer: Consumer | undefined): Identity['consumer'] =>
  consumer && {
    id: consumer.id,
    username: consumer.username ?? undefined,
    customId: consumer.custom_id ?? undefined,
  };

const own = (exchange: Exchange): ProxyExchange => exchange as ProxyExchange;

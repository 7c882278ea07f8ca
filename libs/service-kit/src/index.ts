export { answerBatch, CheckFailed, type Deciders } from './answer-batch.ts';
export { AppendLane } from './append-lane.ts';
export { Breaker } from './breaker.ts';
export { Bus, type BusOptions, type MessageContext } from './bus.ts';
export { BusError, type BusErrorKind } from './bus-error.ts';
export { type BusLogin, busLogin } from './bus-options.ts';
export type { BusRefusal } from './bus-refusals.ts';
export { type BatchConsumer, type ConsumeOptions, consumeBatches } from './consume.ts';
export type { Delivery } from './delivery.ts';
export { type ConsumerProgress, consumerProgress } from './durable.ts';
export { type Issuer, issueCertificate, type KeyedCertificate } from './issue-certificate.ts';
export {
  type AppendOptions,
  JetStream,
  SequenceConflict,
  type StoredMessage,
  StreamFull,
} from './jetstream.ts';
export { unusedKongNames, withKongNames, withoutKongNames } from './kong-environment.ts';
export { Lane } from './lane.ts';
export { announceReady, type ReadyMessage, runUntilStopped } from './lifecycle.ts';
export { limitLines } from './limit-lines.ts';
export { createLogger, type LineWriter, type Logger, lineWriter } from './logger.ts';
export { Counter, counter, createMetrics, Gauge, gauge, Histogram, histogram, Registry } from './metrics.ts';
export { type NodeStatus, type NodeStatusFacts, nodeStatus } from './node-status.ts';
export { observeBus } from './observe-bus.ts';
export {
  type Exemplar,
  OPEN_METRICS_TYPE,
  openMetrics,
  takesOpenMetrics,
} from './open-metrics.ts';
export { MessageTooLarge } from './payload.ts';
export { readStream } from './read-stream.ts';
export { connectRedis, type Redis, type RedisOptions } from './redis.ts';
export { withScriptSpan } from './redis-span.ts';
export { parseRedisUrl, type RedisPlace, redisAddress } from './redis-url.ts';
export {
  instanceName,
  readSettings,
  redisSettings,
  redisUrl,
  SettingsError,
  sharedSettings,
} from './settings.ts';
export { type StatusServer, type StatusServerOptions, startStatusServer } from './status-server.ts';
export {
  CLIENT,
  CONSUMER,
  contextFrom,
  failSpan,
  formatTraceparent,
  isTraced,
  messagingAttributes,
  parseTraceparent,
  SERVER,
  SpanKind,
  type SpanOptions,
  startSpan,
  startTelemetry,
  type Telemetry,
  traceparentOf,
  withSpan,
} from './telemetry.ts';

import { auditRecorded } from './audit/recorded.ts';
import { authKeyStored, authKeyUsed } from './auth/api-keys.ts';
import { authConfirmRevocation } from './auth/confirm-revocation.ts';
import { authLiveRevoked, authRevoked } from './auth/revoked.ts';
import { authVerify } from './auth/verify.ts';
import { busRefused } from './bus/refused.ts';
import { configCanary, configOffered } from './config/canary.ts';
import {
  configApplied,
  configCommitted,
  configHeartbeat,
  configLiveCommitted,
  configSnapshotChunk,
  configSnapshotHead,
} from './config/committed.ts';
import { entityEvents } from './config/entity-events.ts';
import type { Contract } from './contract.ts';
import { edgeDecision, edgeTraffic } from './decision/ask.ts';
import { decisionRecorded } from './decision/recorded.ts';
import { edgeAnswerCache } from './edge/answer-cache.ts';
import { edgeLogLevel } from './edge/log-level.ts';
import { edgeMetrics } from './edge/metrics.ts';
import { edgeShadow } from './edge/shadow.ts';
import { edgeTargetHealth } from './edge/target-health.ts';
import { edgeUpstreamHealth } from './edge/upstream-health.ts';
import { quotaList } from './quota/list.ts';
import {
  quotaDead,
  quotaLatest,
  quotaStateChanged,
  quotaStatesRequested,
  quotaUpdated,
} from './quota/updated.ts';
import { ratelimitCheck } from './ratelimit/check.ts';
import { ratelimitLease, ratelimitSettle } from './ratelimit/lease.ts';

/** Every subject the gateway speaks: the AsyncAPI document and the contract tests read this list. */
export const contracts: readonly Contract[] = [
  authVerify,
  authRevoked,
  authLiveRevoked,
  authConfirmRevocation,
  authKeyStored,
  authKeyUsed,
  ratelimitCheck,
  ratelimitLease,
  ratelimitSettle,
  configCommitted,
  configLiveCommitted,
  configHeartbeat,
  configApplied,
  configSnapshotHead,
  configSnapshotChunk,
  configOffered,
  configCanary,
  ...Object.values(entityEvents),
  edgeMetrics,
  edgeUpstreamHealth,
  edgeTargetHealth,
  edgeAnswerCache,
  edgeLogLevel,
  edgeShadow,
  edgeDecision,
  edgeTraffic,
  decisionRecorded,
  quotaUpdated,
  quotaLatest,
  quotaStateChanged,
  quotaStatesRequested,
  quotaDead,
  quotaList,
  auditRecorded,
  busRefused,
] as unknown as readonly Contract[];

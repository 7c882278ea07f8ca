export {
  type ChangeCounts,
  type ConfigChanges,
  configChanges,
  type EntityChange,
  exampleChanges,
  exampleReport,
  type FieldChange,
  type SimulatedDoubt,
  type SimulatedExample,
  type SimulatedGroup,
  type SimulatedOutcome,
  type SimulatedRequest,
  type SimulatedTenant,
  type SimulationReport,
  simulationReport,
} from './answers.ts';
export { channelId, toAsyncApi } from './asyncapi.ts';
export { auditHash, type ChainFault, ChainVerifier, FIRST_PREV_HASH } from './audit/chain.ts';
export {
  type AuditChange,
  type AuditEntry,
  auditChange,
  auditEntry,
  auditRecord,
  auditRecorded,
} from './audit/recorded.ts';
export { apiKeyHash, apiKeyIdIn, createApiKey, looksLikeApiKey } from './auth/api-key-text.ts';
export {
  type ApiKey,
  apiKey,
  apiKeyRequest,
  apiKeyRotation,
  authKeyStored,
  authKeyUsed,
} from './auth/api-keys.ts';
export { authConfirmRevocation } from './auth/confirm-revocation.ts';
export {
  authLiveRevoked,
  authRevoked,
  REVOCABLE,
  type Revocable,
  type Revocation,
  revocation,
  revocationRequest,
  type TokenMarks,
  tokenMarks,
} from './auth/revoked.ts';
export {
  authVerify,
  HMAC_ALGORITHMS,
  MAX_CREDENTIAL_CHARS,
  MAX_SIGNED_IDENTITY_CHARS,
  MAX_USERNAME_CHARS,
  TOKEN_ALGORITHMS,
} from './auth/verify.ts';
export { busRefused, MAX_REFUSALS_TOLD } from './bus/refused.ts';
export {
  BUS_USERS,
  type BusPermissions,
  type BusUser,
  inboxPrefixOf,
  permissionsOf,
} from './bus-users.ts';
export { type ContractBreak, compareContracts, describeBreak } from './compare-contracts.ts';
export { type CanarySide, canarySide, configCanary, configOffered } from './config/canary.ts';
export {
  type ConfigCommit,
  configApplied,
  configCommit,
  configCommitted,
  configHeartbeat,
  configLiveCommitted,
  configSnapshotChunk,
  configSnapshotHead,
} from './config/committed.ts';
export { type ConfigOp, configOp, entity, KINDS, type Kind, kindNames } from './config/entity.ts';
export { type EventEntity, entityEvents } from './config/entity-events.ts';
export {
  type BatchContract,
  batchedRequest,
  type Contract,
  type EventContract,
  event,
  type FailedCheck,
  MAX_CHECKS_PER_MESSAGE,
  type Party,
  type RequestReplyContract,
  requestReply,
} from './contract.ts';
export {
  type DecisionFilter,
  decisionFilter,
  edgeDecision,
  edgeTraffic,
  MAX_RECORDS_ASKED,
  type TrafficShare,
} from './decision/ask.ts';
export { type AskedFacts, MAX_KEPT_VALUE_CHARS } from './decision/asked.ts';
export {
  type DecisionRecord,
  decisionRecord,
  type PluginVerdict,
  type PromptFlag,
} from './decision/record.ts';
export { decisionRecorded, MAX_RECORDS_PER_MESSAGE } from './decision/recorded.ts';
export { type EdgeTraffic, type Rates, sumTraffic, type TrafficView } from './decision/sum-traffic.ts';
export { edgeAnswerCache } from './edge/answer-cache.ts';
export { edgeLogLevel } from './edge/log-level.ts';
export { edgeMetrics, MAX_EXEMPLARS, MAX_METRICS_BYTES } from './edge/metrics.ts';
export {
  edgeShadow,
  MAX_SHADOW_EXAMPLES,
  MAX_SHADOW_ROUTES,
  type ShadowDifference,
  type ShadowRoute,
} from './edge/shadow.ts';
export { type EdgeShadow, type ShadowView, sumShadow } from './edge/sum-shadow.ts';
export { edgeTargetHealth } from './edge/target-health.ts';
export { edgeUpstreamHealth } from './edge/upstream-health.ts';
export { envelopeOf } from './envelope.ts';
export { ERRORS, type ErrorCode, type ErrorRow, GatewayError, type RefusalOptions } from './errors.ts';
export { HUB_DOMAIN, LEAF_USER, leafPermissions } from './leaf-users.ts';
export {
  hubAuthorization,
  leafAuthorization,
  natsAuthorization,
  natsPasswordVariable,
} from './nats-users.ts';
export {
  MAX_QUOTAS_ASKED,
  QUOTA_LISTS,
  type QuotaStanding,
  quotaList,
  quotaStanding,
} from './quota/list.ts';
export { type QuotaState, quotaState } from './quota/state.ts';
export {
  DEAD_REASONS,
  type DeadReason,
  quotaDead,
  quotaLatest,
  quotaSnapshot,
  quotaStateChanged,
  quotaStatesRequested,
  quotaUpdated,
  quotaUsage,
} from './quota/updated.ts';
export { ratelimitCheck } from './ratelimit/check.ts';
export { ratelimitLease, ratelimitSettle } from './ratelimit/lease.ts';
export { type Limit, PERIODS, type Period, type WindowState } from './ratelimit/windows.ts';
export { contracts } from './registry.ts';
export { CENSOR, isSecretName, withoutSecretText } from './secret-text.ts';
export { STREAMS, type StreamDefinition } from './streams.ts';
export { subjectFor, subjectPattern, subjectToken } from './subject.ts';

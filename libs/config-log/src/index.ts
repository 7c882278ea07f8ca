export {
  listApiKeys,
  readApiKey,
  readApiKeyUse,
  type StoredApiKey,
  storeApiKey,
  storeApiKeyUse,
} from './api-keys.ts';
export { type Appended, type AppendRequest, appendCommit, LogUnavailable } from './append.ts';
export { dropCandidate, readCandidate, storeCandidate } from './candidate.ts';
export { DEFAULT_RETENTION, type Retention } from './checkpoints.ts';
export { ConfigFollower, followConfig } from './follow.ts';
export type { FollowerCounts, FollowOptions, ResyncReason } from './follow-options.ts';
export { GenerationGone, generationAt } from './generation.ts';
export { type HistoryEntry, readHistory } from './history.ts';
export { type LastKnownGood, LastKnownGoodFile } from './last-known-good.ts';
export {
  commitOf,
  EMPTY_DIGEST,
  type Position,
  type Replica,
  type StoredCommit,
  startOf,
} from './position.ts';
export { provisionLog } from './provision.ts';
export { appendRevocation } from './revocations/append-revocation.ts';
export {
  type FollowRevocationsOptions,
  followRevocations,
  RevocationFollower,
} from './revocations/follow-revocations.ts';
export { RevocationList } from './revocations/revocation-list.ts';
export { type StoredRevocation, subjectOf as revocationSubject } from './revocations/stored-revocation.ts';
export { readHead, type SnapshotHead, writeSnapshot } from './snapshots.ts';
export { stateAt } from './state-at.ts';
export { DamagedState } from './state-codec.ts';

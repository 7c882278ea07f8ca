import type { Party } from './contract.ts';

/** What a stream keeps. Only settings that nats-server 2.9.10 honours; newer ones it ignores without a word. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  /** The process that makes it and brings it to this definition. */
  readonly keeper: Party;
  /** Durable consumers of the keeper. */
  readonly durables?: readonly string[];
  /** The keeper reads it from its first message on, by a consumer for that one reading. */
  readonly isReadWhole?: boolean;
  /** The keeper removes messages by their subject. */
  readonly isPurged?: boolean;
  /** Seconds; 0 keeps for ever. */
  readonly maxAgeSeconds: number;
  readonly maxBytes?: number;
  readonly maxMessages?: number;
  readonly maxMessagesPerSubject?: number;
  /** A full stream refuses what is new instead of forgetting what is old. */
  readonly discardNew?: boolean;
  readonly duplicateWindowSeconds?: number;
  readonly allowDirect?: boolean;
  readonly denyDelete?: boolean;
  readonly denyPurge?: boolean;
  readonly republish?: { readonly from: string; readonly to: string };
}

const DAY = 86_400;
const GIB = 1024 ** 3;

export const STREAMS = {
  CONFIG: {
    name: 'CONFIG',
    subjects: ['config.committed'],
    keeper: 'config-registry',
    durables: ['config-events'],
    maxAgeSeconds: 0,
    maxMessages: 100_000,
    duplicateWindowSeconds: 120,
    allowDirect: true,
    denyDelete: true,
    denyPurge: true,
    republish: { from: 'config.committed', to: 'config.live.committed' },
  },
  CONFIG_SNAPSHOTS: {
    name: 'CONFIG_SNAPSHOTS',
    subjects: ['config.snapshot.>'],
    keeper: 'config-registry',
    isPurged: true,
    maxAgeSeconds: 0,
    maxMessagesPerSubject: 1,
    allowDirect: true,
  },
  CONFIG_EVENTS: {
    name: 'CONFIG_EVENTS',
    subjects: ['route', 'service', 'upstream', 'plugin', 'consumer', 'policy', 'key', 'canary'].map(
      (e) => `config.${e}.*`,
    ),
    keeper: 'config-registry',
    maxAgeSeconds: 7 * DAY,
    duplicateWindowSeconds: 600,
  },
  /**
   * The newest revocation of each value. The age is longer than any token should live: what is forgotten is no longer
   * refused. The bound is what every edge and auth process holds in memory, about 30 MB.
   */
  REVOCATIONS: {
    name: 'REVOCATIONS',
    subjects: ['auth.revoked.>'],
    keeper: 'config-registry',
    maxAgeSeconds: 400 * DAY,
    maxMessages: 100_000,
    maxMessagesPerSubject: 1,
    discardNew: true,
    duplicateWindowSeconds: 120,
    allowDirect: true,
    denyDelete: true,
    denyPurge: true,
    republish: { from: 'auth.revoked.>', to: 'auth.live.revoked.>' },
  },
  /** The state of each API key; full means refused, for a key that is forgotten would come back to life or die. */
  API_KEYS: {
    name: 'API_KEYS',
    subjects: ['auth.key.stored.*'],
    keeper: 'config-registry',
    maxAgeSeconds: 0,
    maxMessages: 100_000,
    maxMessagesPerSubject: 1,
    discardNew: true,
    duplicateWindowSeconds: 120,
    allowDirect: true,
    denyDelete: true,
    denyPurge: true,
  },
  API_KEY_USES: {
    name: 'API_KEY_USES',
    subjects: ['auth.key.used.*'],
    keeper: 'config-registry',
    maxAgeSeconds: 400 * DAY,
    maxMessages: 100_000,
    maxMessagesPerSubject: 1,
    allowDirect: true,
  },
  /** Name and subject are the original's; kept longer than a long outage instead of its one day. */
  QUOTAS: {
    name: 'QUOTAS',
    subjects: ['quota.updated'],
    keeper: 'quota-mirror',
    durables: ['quota-mirror'],
    isReadWhole: true,
    maxAgeSeconds: 35 * DAY,
    maxBytes: 10 * GIB,
    duplicateWindowSeconds: 120,
  },
  QUOTA_LATEST: {
    name: 'QUOTA_LATEST',
    subjects: ['quota.updated.*'],
    keeper: 'quota-mirror',
    isReadWhole: true,
    maxAgeSeconds: 0,
    maxMessagesPerSubject: 1,
    allowDirect: true,
  },
  DEADLETTER: {
    name: 'DEADLETTER',
    subjects: ['quota.dead', 'config.dead', 'audit.dead'],
    keeper: 'quota-mirror',
    maxAgeSeconds: 90 * DAY,
    maxBytes: GIB,
    duplicateWindowSeconds: 600,
  },
  /** For the question "why?" of the last hours; the oldest go first. */
  DECISIONS: {
    name: 'DECISIONS',
    subjects: ['decision.recorded'],
    keeper: 'config-registry',
    durables: ['policy-refusals'],
    isReadWhole: true,
    maxAgeSeconds: DAY / 4,
    maxBytes: 256 * 1024 ** 2,
  },
  /** Who did what; each record holds the hash of the one before, so the stream only grows and forgets by age alone. */
  AUDIT: {
    name: 'AUDIT',
    subjects: ['audit.recorded'],
    keeper: 'config-registry',
    maxAgeSeconds: 400 * DAY,
    duplicateWindowSeconds: 600,
    allowDirect: true,
    denyDelete: true,
    denyPurge: true,
  },
} as const satisfies Record<string, StreamDefinition>;

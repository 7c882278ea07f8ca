// What the Admin API answers, as far as the console reads it.

import type { ConfigChanges } from '@sluice/contracts';

export type Role = 'viewer' | 'operator' | 'admin';

export interface SessionAnswer {
  /** Null: the API is open, on a loopback address. */
  readonly name: string | null;
  readonly role: Role;
  readonly csrf: string | null;
}

export interface Rates {
  readonly name: string;
  readonly perSecond: number;
  readonly refusedPerSecond: number;
  readonly failedPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Refusals {
  readonly code: string;
  readonly status: number;
  readonly perSecond: number;
}

export interface Process {
  readonly instance: string;
  readonly process: string;
  readonly epoch: string;
  readonly version: number;
  readonly refusal?: string;
}

export interface Dependency {
  readonly name: string;
  readonly isWell: boolean;
  readonly says: string;
}

export interface LiveView {
  readonly at: number;
  readonly windowMs: number;
  readonly configuration: { readonly epoch: string; readonly version: number };
  readonly edges: { readonly live: number; readonly answered: number };
  readonly total: Rates;
  readonly limitedPerSecond: number;
  readonly tenants: readonly Rates[];
  readonly routes: readonly Rates[];
  readonly refusals: readonly Refusals[];
  readonly processes: readonly Process[];
  readonly dependencies: readonly Dependency[];
}

export interface PluginVerdict {
  readonly plugin: string;
  readonly id: string;
  readonly verdict: 'passed' | 'refused' | 'not_reached';
  readonly source?: string;
  readonly bucket?: string;
  readonly windows?: readonly {
    readonly period: string;
    readonly limit: number;
    readonly remaining: number;
    readonly resetMs: number;
  }[];
  /** An attack that prompt-guard saw; never the text. */
  readonly flagged?: {
    readonly mode: string;
    readonly score: number;
    readonly families: readonly string[];
    readonly rules: readonly string[];
  };
  readonly quota?: { readonly limit: number | null; readonly used: number | null; readonly stale: boolean };
}

export interface DecisionRecord {
  readonly requestId: string;
  readonly traceId: string;
  readonly instance: string;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly outcome: string;
  readonly version: number;
  readonly tenant?: string;
  readonly consumer?: string;
  readonly route?: { readonly id: string; readonly name?: string };
  readonly refusal?: { readonly code: string; readonly message: string; readonly reason?: string };
  readonly plugins: readonly PluginVerdict[];
  readonly upstream?: { readonly target: string };
  readonly timing: { readonly totalUs: number };
  readonly degraded: readonly string[];
}

export interface Decisions {
  readonly data: readonly DecisionRecord[];
  readonly edges: { readonly live: number; readonly answered: number };
}

export interface Explanation {
  readonly requestId: string;
  readonly headline: string;
  readonly cause: string;
  readonly decidedBy: { readonly kind: string; readonly name: string; readonly id?: string };
  readonly number?: { readonly name: string; readonly value: number; readonly limit?: number };
  readonly because: readonly string[];
  readonly change: readonly string[];
  readonly waterfall: readonly { readonly name: string; readonly fromUs: number; readonly us: number }[];
  readonly record: DecisionRecord;
}

export interface Problem {
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  readonly suggestion?: string;
}

export interface CheckAnswer extends Partial<ConfigChanges> {
  readonly valid: boolean;
  readonly version: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** One version of the configuration. */
export interface HistoryEntry {
  readonly version: number;
  readonly time: string;
  readonly author: string;
  readonly message: string | null;
  readonly rollbackOf: number | null;
}

export interface History {
  readonly data: readonly HistoryEntry[];
  readonly live: number;
}

export interface Entity {
  readonly id: string;
  readonly name: string | null;
}

export interface ServiceEntity extends Entity {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

export interface RouteEntity extends Entity {
  readonly paths: readonly string[] | null;
  readonly methods: readonly string[] | null;
  readonly hosts: readonly string[] | null;
  readonly service: { readonly id: string } | null;
}

export interface PluginEntity {
  readonly id: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly route: { readonly id: string } | null;
  readonly service: { readonly id: string } | null;
  readonly consumer: { readonly id: string } | null;
  readonly enabled: boolean;
  readonly tags: readonly string[] | null;
}

export interface List<E> {
  readonly data: readonly E[];
  readonly next: string | null;
}

export interface TargetHealth {
  readonly id: string;
  readonly target: string;
  readonly weight: number;
  readonly health: string;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly state: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface Revocation {
  readonly by: string;
  readonly value: string;
  readonly reason?: string;
  readonly notBefore: string;
  readonly revokedAt: string;
  readonly revokedBy: string;
}

export interface AuditRecord {
  readonly sequence: number;
  readonly time: string;
  readonly actor: string | null;
  readonly action: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly address: string | null;
  readonly request: { readonly method: string; readonly path: string; readonly status: number } | null;
  readonly version: number | null;
  readonly message: string | null;
  readonly changes: readonly { readonly op: string; readonly kind: string; readonly id: string }[];
  readonly changesLeftOut: number;
}

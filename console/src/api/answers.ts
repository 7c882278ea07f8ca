// What the Admin API answers, as far as the console reads it.

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

export interface EntityChange {
  readonly op: 'create' | 'update' | 'delete';
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly fields: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[];
}

export interface CheckAnswer {
  readonly valid: boolean;
  readonly version: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  readonly changes?: readonly EntityChange[];
  readonly total?: number;
}

import type { List } from './answers.ts';

// What the Admin API answers about quotas, the guard and candidates.

export interface QuotaStanding {
  readonly tenantId: string;
  readonly limit: number;
  readonly used: number;
  /** Null: the limit is 0. */
  readonly share: number | null;
  readonly period: string;
  readonly resetAt: string | null;
  readonly lastUpdated: string;
  readonly stale: boolean;
  readonly condition: 'ok' | 'alert' | 'exceeded';
}

export interface Quotas extends List<QuotaStanding> {
  readonly found: number;
  readonly counts: Readonly<Record<'all' | 'alert' | 'exceeded' | 'stale', number>>;
  /** Percent. */
  readonly alertThreshold: number;
}

export interface GuardVerdict {
  readonly attack: boolean;
  /** 1 and more is an attack. */
  readonly score: number;
  readonly sensitivity: 'balanced' | 'strict';
  readonly hits: readonly {
    readonly rule: string;
    readonly family: string;
    readonly weight: number;
    readonly excerpt: string;
  }[];
}

export interface CanarySide {
  readonly edges: number;
  readonly requests: number;
  readonly refused: number;
  readonly failed: number;
  readonly p99Us: number;
}

/** A configuration that some edges try. */
export interface Canary {
  readonly id: string;
  /** The version that the others serve. */
  readonly base: number;
  readonly edges: readonly string[];
  readonly author: string;
  readonly startedAt: string;
  readonly endsAt: string;
  readonly phase: 'starting' | 'running' | 'promoted' | 'rolled-back';
  readonly reason: string | null;
  readonly version: number | null;
  readonly candidate: CanarySide | null;
  readonly others: CanarySide | null;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanBar {
  readonly depth: number;
  readonly service: string;
  readonly name: string;
  readonly fromUs: number;
  readonly us: number;
  readonly failure?: string;
  readonly events: readonly {
    readonly name: string;
    readonly atUs: number;
    readonly attributes: Attributes;
  }[];
  /** Other traces that it worked for, too. */
  readonly links: readonly string[];
}

export interface Trace {
  readonly traceId: string;
  readonly us: number;
  readonly spans: number;
  readonly leftOut: number;
  readonly bars: readonly SpanBar[];
}

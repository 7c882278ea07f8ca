import type { ConfigOp, DecisionRecord } from '@sluice/contracts';
import type { Gathered } from './gather-records.ts';
import type { Outcome } from './predict.ts';

/** What would become of one request. */
export type Judged = { readonly record: DecisionRecord } & (
  | { readonly result: 'same' | 'changes'; readonly now: Outcome; readonly would: Outcome }
  | { readonly result: 'unknown'; readonly why: string }
);

/** Requests named with each kind of change. */
const EXAMPLES = 3;
const MAX_TENANTS = 1000;
const MAX_GROUPS = 100;

interface Example {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
}

/** Requests of a tenant to which the same would happen. */
interface Group {
  requests: number;
  readonly now: Outcome;
  readonly would: Outcome;
  readonly examples: Example[];
}

interface Doubt {
  requests: number;
  readonly why: string;
  readonly examples: Example[];
}

interface TenantReport {
  /** `-`: requests that named none. */
  readonly tenant: string;
  requests: number;
  changes: number;
  unknown: number;
  readonly groups: Group[];
  readonly doubts: Doubt[];
}

/** A request with what would become of it, where each is asked for. */
interface RequestReport extends Example {
  readonly tenant: string;
  readonly result: Judged['result'];
  readonly now?: Outcome;
  readonly would?: Outcome;
  readonly why?: string;
}

export interface Report {
  /** The version in force. */
  readonly base: string;
  readonly entities: { readonly put: number; readonly deleted: number };
  readonly warnings: readonly string[];
  /** ISO times. `wholeFrom`: from when on every request was looked at; null: some are missing throughout. */
  readonly records: {
    readonly since: string;
    readonly wholeFrom: string | null;
    readonly isCut: boolean;
    readonly edges: Gathered['edges'];
  };
  readonly requests: number;
  readonly same: number;
  readonly changes: number;
  readonly unknown: number;
  /** Those with most changes first. */
  readonly tenants: readonly TenantReport[];
  readonly each: readonly RequestReport[];
}

export interface ReportFacts {
  readonly version: number;
  /** Unix ms. */
  readonly since: number;
  readonly gathered: Gathered;
  readonly warnings: readonly string[];
  readonly ops: readonly ConfigOp[];
}

/** Sums up by tenant what would change. */
export const reportOf = (judged: readonly Judged[], facts: ReportFacts): Report => {
  const { gathered, since, ops, version, warnings } = facts;
  const tenants = new Map<string, TenantReport>();
  for (const one of judged) addTo(tenants, one);
  const count = (result: Judged['result']) => judged.filter((one) => one.result === result).length;
  const put = ops.filter(({ op }) => op === 'put').length;
  const { wholeFrom, isCut, edges } = gathered;
  return {
    base: `r${version}`,
    entities: { put, deleted: ops.length - put },
    warnings,
    records: {
      ...{ since: new Date(since).toISOString(), isCut, edges },
      wholeFrom: Number.isFinite(wholeFrom) ? new Date(wholeFrom).toISOString() : null,
    },
    requests: judged.length,
    ...{ same: count('same'), changes: count('changes'), unknown: count('unknown') },
    tenants: [...tenants.values()]
      .sort((a, b) => b.changes - a.changes || b.unknown - a.unknown || b.requests - a.requests)
      .slice(0, MAX_TENANTS),
    each: judged.map(eachOf),
  };
};

const tenantOf = ({ tenant }: DecisionRecord): string => tenant ?? '-';

const exampleOf = ({ requestId, method, path }: DecisionRecord): Example => ({ requestId, method, path });

const eachOf = (one: Judged): RequestReport => ({
  ...exampleOf(one.record),
  ...{ tenant: tenantOf(one.record), result: one.result },
  ...(one.result === 'unknown' ? { why: one.why } : { now: one.now, would: one.would }),
});

const addTo = (tenants: Map<string, TenantReport>, one: Judged): void => {
  const name = tenantOf(one.record);
  const fresh = { tenant: name, requests: 0, changes: 0, unknown: 0, groups: [], doubts: [] };
  const tenant = tenants.get(name) ?? fresh;
  tenants.set(name, tenant);
  tenant.requests += 1;
  if (one.result === 'same') return;
  if (one.result === 'unknown') {
    tenant.unknown += 1;
    const isSame = ({ why }: Doubt) => why === one.why;
    addOne(tenant.doubts, isSame, one.record, () => ({ requests: 0, why: one.why, examples: [] }));
    return;
  }
  tenant.changes += 1;
  const { now, would } = one;
  const key = keyOf(now, would);
  const isSame = (group: Group) => keyOf(group.now, group.would) === key;
  addOne(tenant.groups, isSame, one.record, () => ({ requests: 0, now, would, examples: [] }));
};

const keyOf = (now: Outcome, would: Outcome): string => JSON.stringify([now, would]);

const addOne = <G extends { requests: number; readonly examples: Example[] }>(
  groups: G[],
  isSame: (group: G) => boolean,
  record: DecisionRecord,
  fresh: () => G,
): void => {
  let group = groups.find(isSame);
  if (group === undefined) {
    if (groups.length >= MAX_GROUPS) return;
    group = fresh();
    groups.push(group);
  }
  group.requests += 1;
  if (group.examples.length < EXAMPLES) group.examples.push(exampleOf(record));
};

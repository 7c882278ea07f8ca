import type {
  ConfigOp,
  DecisionRecord,
  SimulatedDoubt,
  SimulatedExample,
  SimulatedGroup,
  SimulatedOutcome,
  SimulatedRequest,
  SimulatedTenant,
  SimulationReport,
} from '@sluice/contracts';
import type { Gathered } from './gather-records.ts';

/** What would become of one request. */
export type Judged = { readonly record: DecisionRecord } & (
  | { readonly result: 'same' | 'changes'; readonly now: SimulatedOutcome; readonly would: SimulatedOutcome }
  | { readonly result: 'unknown'; readonly why: string }
);

/** Requests named with each kind of change. */
const EXAMPLES = 3;
const MAX_TENANTS = 1000;
const MAX_GROUPS = 100;

export interface ReportFacts {
  readonly version: number;
  /** Unix ms. */
  readonly since: number;
  readonly gathered: Gathered;
  readonly warnings: readonly string[];
  readonly ops: readonly ConfigOp[];
}

/** Sums up by tenant what would change. */
export const reportOf = (judged: readonly Judged[], facts: ReportFacts): SimulationReport => {
  const { gathered, since, ops, version, warnings } = facts;
  const tenants = new Map<string, SimulatedTenant>();
  for (const one of judged) addTo(tenants, one);
  const count = (result: Judged['result']) => judged.filter((one) => one.result === result).length;
  const put = ops.filter(({ op }) => op === 'put').length;
  const { wholeFrom, isCut, edges } = gathered;
  return {
    base: `r${version}`,
    entities: { put, deleted: ops.length - put },
    warnings: [...warnings],
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

const exampleOf = ({ requestId, method, path }: DecisionRecord): SimulatedExample => ({
  requestId,
  method,
  path,
});

const eachOf = (one: Judged): SimulatedRequest => ({
  ...exampleOf(one.record),
  ...{ tenant: tenantOf(one.record), result: one.result },
  ...(one.result === 'unknown' ? { why: one.why } : { now: one.now, would: one.would }),
});

const addTo = (tenants: Map<string, SimulatedTenant>, one: Judged): void => {
  const name = tenantOf(one.record);
  const fresh = { tenant: name, requests: 0, changes: 0, unknown: 0, groups: [], doubts: [] };
  const tenant = tenants.get(name) ?? fresh;
  tenants.set(name, tenant);
  tenant.requests += 1;
  if (one.result === 'same') return;
  if (one.result === 'unknown') {
    tenant.unknown += 1;
    const isSame = ({ why }: SimulatedDoubt) => why === one.why;
    addOne(tenant.doubts, isSame, one.record, () => ({ requests: 0, why: one.why, examples: [] }));
    return;
  }
  tenant.changes += 1;
  const { now, would } = one;
  const key = keyOf(now, would);
  const isSame = (group: SimulatedGroup) => keyOf(group.now, group.would) === key;
  addOne(tenant.groups, isSame, one.record, () => ({ requests: 0, now, would, examples: [] }));
};

const keyOf = (now: SimulatedOutcome, would: SimulatedOutcome): string => JSON.stringify([now, would]);

const addOne = <G extends { requests: number; readonly examples: SimulatedExample[] }>(
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

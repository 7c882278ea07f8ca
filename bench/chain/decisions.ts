import { call } from '@sluice/testkit';

/** Who decided about limits on an edge so far: a lease, the limiter, or the edge alone. */
export type LimitDecisions = Readonly<Record<string, number>>;

const LINE = /^sluice_limit_decisions_total\{source="(\w+)"\} (\d+)/gm;

/** Of all edges with these status ports together. */
export const limitDecisions = async (statusPorts: readonly number[]): Promise<LimitDecisions> => {
  const decisions: Record<string, number> = {};
  for (const port of statusPorts) {
    const { text } = await call(`http://127.0.0.1:${port}`, '/metrics');
    for (const [, source = '', count] of text.matchAll(LINE))
      decisions[source] = (decisions[source] ?? 0) + Number(count);
  }
  return decisions;
};

/** The share of leases among the decisions between two readings; NaN when there were none. */
export const leasedShare = (before: LimitDecisions, after: LimitDecisions): number => {
  const since = (source: string): number => (after[source] ?? 0) - (before[source] ?? 0);
  const all = since('lease') + since('service') + since('local');
  return since('lease') / all;
};

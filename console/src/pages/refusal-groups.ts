import type { DecisionRecord, PluginVerdict } from '../api/answers.ts';

/** Refusals of one policy for one reason, the newest first. */
export interface RefusalGroup {
  readonly key: string;
  readonly code: string;
  readonly status: number;
  readonly policy: PluginVerdict | undefined;
  readonly records: readonly DecisionRecord[];
  /** When the newest run of refusals by this policy began, without a request that it let pass in between. */
  readonly since: number;
  /** False: what is remembered begins with a refusal, so it may have been earlier. */
  readonly isSinceKnown: boolean;
}

export const refuserIn = ({ plugins }: DecisionRecord): PluginVerdict | undefined =>
  plugins.find(({ verdict }) => verdict === 'refused');

const keyOf = (record: DecisionRecord): string =>
  `${record.refusal?.code} ${refuserIn(record)?.id ?? record.upstream?.target ?? ''}`;

/** Those with the most refusals first. `records` of one tenant, in any order. */
export const groupRefusals = (records: readonly DecisionRecord[]): RefusalGroup[] => {
  const newestFirst = records.toSorted((a, b) => b.at - a.at);
  const groups = Map.groupBy(
    newestFirst.filter(({ refusal }) => refusal !== undefined),
    keyOf,
  );
  return [...groups]
    .map(([key, own]) => groupOf(key, own, newestFirst))
    .sort((a, b) => b.records.length - a.records.length);
};

const groupOf = (
  key: string,
  own: readonly DecisionRecord[],
  all: readonly DecisionRecord[],
): RefusalGroup => {
  const newest = own[0];
  const policy = newest === undefined ? undefined : refuserIn(newest);
  const passed = all.find(({ at, plugins, refusal }) => {
    if (at > (newest?.at ?? 0)) return false;
    if (policy === undefined) return refusal === undefined;
    return plugins.some(({ id, verdict }) => id === policy.id && verdict === 'passed');
  });
  const run = own.filter(({ at }) => at > (passed?.at ?? 0));
  return {
    ...{ key, code: newest?.refusal?.code ?? '', status: newest?.status ?? 0, policy, records: own },
    since: (run.at(-1) ?? own.at(-1))?.at ?? 0,
    isSinceKnown: passed !== undefined,
  };
};

/** How many of `records` each tenant has of what a policy refuses, those with the most first. */
export const tenantsRefusedBy = (
  policyId: string | undefined,
  code: string,
  records: readonly DecisionRecord[],
): { readonly tenant: string; readonly count: number }[] => {
  const own = records.filter((record) => record.refusal?.code === code && refuserIn(record)?.id === policyId);
  return [...Map.groupBy(own, ({ tenant }) => tenant ?? 'not known')]
    .map(([tenant, those]) => ({ tenant, count: those.length }))
    .sort((a, b) => b.count - a.count);
};

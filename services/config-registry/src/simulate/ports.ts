import type { DecisionRecord, Limit } from '@sluice/contracts';
import type { Ports } from '@sluice/plugins';
import { NotRecorded } from './recorded-headers.ts';
import type { Side } from './side.ts';

/** What one policy is answered. */
interface Answers {
  readonly spend: (key: string, limits: readonly Limit[]) => 'allow' | 'deny';
  /** It only shows quotas, and refuses nobody by them. */
  readonly showsQuotaOnly: boolean;
}

const unknown = (what: string) => (): never => {
  throw new NotRecorded(what);
};
const nothing = (): undefined => undefined;

/** What a handler asks of the outside, answered from a request's record. Nothing leaves the process. */
export const simulatedPorts = (side: Side, record: DecisionRecord, answers: Answers): Ports => ({
  verifyCredential: unknown('its credential, which would have to be verified'),
  findConsumer: (idOrUsername) => {
    const found = side.consumer(idOrUsername);
    return (
      found && { id: found.id, username: found.username ?? undefined, customId: found.custom_id ?? undefined }
    );
  },
  groupsOf: side.groupsOf,
  spendBudget: (_exchange, key, limits) => ({
    outcome: answers.spend(key, limits),
    source: 'service',
    windows: [],
  }),
  readQuota: (_exchange, key) => (answers.showsQuotaOnly ? undefined : quotaIn(record, key)),
  recallAnswer: unknown('which answers are kept'),
  countedUnits: unknown('the units that its answers cost'),
  logRecord: unknown('its log record'),
  timeline: unknown('its timeline'),
  tracing: { samplingRate: 0, has: () => false },
  shadow: { skip: nothing, open: nothing },
  uuid: () => record.requestId,
  ...{ count: nothing, log: nothing, rememberAnswer: nothing, countUnits: nothing },
  ...{ writeLog: nothing, send: nothing, adoptTrace: nothing },
});

/** The quota as it was when the request came. */
const quotaIn = ({ plugins }: DecisionRecord, key: string): ReturnType<Ports['readQuota']> => {
  const said = plugins.find(({ bucket, quota, reason }) => bucket === key && (quota ?? reason) !== undefined);
  if (said?.reason === 'no_quota') return null;
  if (said?.quota === undefined) throw new NotRecorded("the tenant's quota");
  const { limit, used, stale, resetAt = null } = said.quota;
  return { limit, used, remaining: null, period: null, resetAt, lastUpdated: null, stale };
};

import { type DecisionRecord, ERRORS, type ErrorCode, type PluginVerdict } from '@sluice/contracts';
import { AUTH_REASONS, NO_CREDENTIAL } from './explain-auth.ts';
import {
  type Configuration,
  changePolicy,
  isByDefault,
  nearMisses,
  oneOf,
  policyName,
  refuserOf,
  seconds,
} from './explain-words.ts';

/** What is said of one cause. */
export interface Told {
  readonly headline: string;
  readonly cause: string;
  readonly decidedBy: {
    readonly kind: 'plugin' | 'gateway' | 'upstream';
    readonly name: string;
    readonly id?: string;
  };
  readonly number?: { readonly name: string; readonly value: number; readonly limit?: number };
  readonly because: readonly string[];
  readonly change: readonly string[];
}

type Teller = (record: DecisionRecord, configuration: Configuration) => Told;
type Refusal = NonNullable<DecisionRecord['refusal']>;

const GATEWAY = { kind: 'gateway', name: 'edge-proxy' } as const;

const deciderOf = (refuser: PluginVerdict | undefined): Told['decidedBy'] =>
  refuser === undefined ? GATEWAY : { kind: 'plugin', name: refuser.plugin, id: refuser.id };

const refusalOf = ({ refusal }: DecisionRecord): Refusal => refusal ?? { code: 'GW_ANSWERED', message: '' }; // asked only about refusals

const numberAt = ({ facts }: Refusal, name: string): number | undefined => {
  const value = facts?.[name];
  return typeof value === 'number' ? value : undefined;
};

const figure = (name: string, value: number | undefined, limit?: number): Pick<Told, 'number'> =>
  value === undefined ? {} : { number: { name, value, ...(limit === undefined ? {} : { limit }) } };

const unauthenticated: Teller = (record, configuration) => {
  const { reason, message } = refusalOf(record);
  const refuser = refuserOf(record);
  const isNothing = reason === undefined && /unauthori[sz]ed|no api key|no credential/i.test(message);
  const [what, remedy] =
    AUTH_REASONS[reason ?? ''] ??
    (isNothing ? NO_CREDENTIAL : [message, 'look at what the client sends and at the plugin’s settings']);
  return {
    headline: what,
    cause: reason ?? (isNothing ? 'no_credential' : 'bad_credential'),
    decidedBy: deciderOf(refuser),
    because: [
      ...(refuser === undefined ? [] : [`refused by the ${policyName(refuser, configuration)}`]),
      `the client was told: ${message}`,
    ],
    change: [remedy],
  };
};

const limited: Teller = (record, configuration) => {
  const refuser = refuserOf(record);
  const { windows = [], bucket = '', source } = refuser ?? {};
  const full = windows.find(({ remaining }) => remaining <= 0) ?? windows[0];
  const who = bucket.split(':').slice(3).join(':') || bucket;
  const change =
    refuser === undefined
      ? ['look at the limits of the route']
      : changePolicy(refuser, full === undefined ? { minute: 0 } : { [full.period]: full.limit * 2 });
  if (full === undefined)
    return {
      headline: 'this edge’s own share of the limit is used up while the limiter cannot be asked',
      ...{ cause: 'rate_limit_degraded', decidedBy: deciderOf(refuser) },
      because: [`budget ${bucket}, counted by ${record.instance} alone`],
      change: ['bring ratelimit and Redis back: sluice doctor', ...change],
    };
  const resetMs = full.resetMs;
  return {
    headline: `${who || 'this budget'} has used ${full.limit} of ${full.limit} requests ${oneOf(full.period)}; the next window begins ${seconds(resetMs)} later`,
    cause: 'rate_limit',
    decidedBy: deciderOf(refuser),
    number: { name: `used_per_${full.period}`, value: full.limit - full.remaining, limit: full.limit },
    because: [
      `budget ${bucket}, counted by ${source === 'lease' ? 'a lease of this edge' : 'the limiter'}`,
      ...(refuser === undefined ? [] : [`set by the ${policyName(refuser, configuration)}`]),
    ],
    change,
  };
};

const quotaExceeded: Teller = (record, configuration) => {
  const refuser = refuserOf(record);
  const { limit = null, used = null, resetAt } = refuser?.quota ?? {};
  return {
    headline: `tenant ${record.tenant ?? '?'} has used ${used ?? '?'} of its quota of ${limit ?? '?'}${resetAt === undefined ? '' : `; it begins anew at ${resetAt}`}`,
    cause: 'quota',
    decidedBy: deciderOf(refuser),
    ...(used === null || limit === null ? {} : { number: { name: 'quota_used', value: used, limit } }),
    because: [
      `read from ${refuser?.bucket ?? 'the mirror of quotas'}`,
      ...(refuser === undefined ? [] : [`refused by the ${policyName(refuser, configuration)}`]),
    ],
    change: [
      'raise the tenant’s quota where it is kept (the publisher of quota.updated); the mirror follows at once',
      ...(refuser === undefined ? [] : changePolicy(refuser, { block_on_quota_exceeded: false })),
    ],
  };
};

const tooLarge: Teller = (record, configuration) => {
  const refusal = refusalOf(record);
  const refuser = refuserOf(record);
  const limit = numberAt(refusal, 'limit_bytes');
  const length = numberAt(refusal, 'content_length') ?? record.bytes.in;
  return {
    headline: `the body of ${length} bytes is larger than ${limit ?? 'the'} bytes allowed`,
    ...{ cause: 'body_too_large', decidedBy: deciderOf(refuser) },
    ...figure('body_bytes', length, limit),
    because: refuser === undefined ? [] : [`refused by the ${policyName(refuser, configuration)}`],
    change:
      refuser === undefined
        ? []
        : changePolicy(refuser, {
            allowed_payload_size: Math.ceil(length / 1024 ** 2),
            size_unit: 'megabytes',
          }),
  };
};

const tenantMismatch: Teller = (record, configuration) => {
  const { facts = {}, message } = refusalOf(record);
  const { header = 'a header', sent = '?', verified = '?' } = facts;
  const refuser = refuserOf(record);
  return {
    headline: `${header} says "${sent}", but the credential is of "${verified}"`,
    ...{ cause: 'tenant_mismatch', decidedBy: deciderOf(refuser) },
    because: [
      ...(refuser === undefined ? [] : [`refused by the ${policyName(refuser, configuration)}`]),
      `the client was told: ${message}`,
    ],
    change: [
      `let the client leave ${header} out, or use a credential of "${sent}"`,
      'for a service that speaks for many tenants: tenant-binding on its route with {"mode":"trust-header"}, see docs/guides/tenant-binding.md',
    ],
  };
};

const noRoute: Teller = (record, configuration) => {
  const near = nearMisses(record, configuration);
  const routes = [...configuration.state.list('routes')].length;
  return {
    headline: `none of the routes takes ${record.method} ${record.path}${record.host === undefined ? '' : ` at ${record.host}`}`,
    ...{ cause: 'no_route', decidedBy: GATEWAY, number: { name: 'routes', value: routes } },
    because: near.length === 0 ? ['no route comes near it'] : near,
    change: ['add a route: POST /services/{service}/routes, or in the configuration and sluice apply'],
  };
};

const authUnavailable: Teller = (record) => {
  const refusal = refusalOf(record);
  const timeout = numberAt(refusal, 'timeout_ms');
  return {
    headline: `the auth process gave no verdict (${refusal.facts?.failure ?? 'no answer'})${timeout === undefined ? '' : ` within ${timeout} ms`}; without one nobody is let in`,
    ...{ cause: 'auth_unavailable', decidedBy: deciderOf(refuserOf(record)) },
    ...figure('timeout_ms', timeout),
    because: ['credentials that the edge remembered went on to pass; this one it did not remember'],
    change: ['see whether auth runs and reaches NATS: sluice doctor', 'run a second auth process'],
  };
};

const overloaded: Teller = (record) => {
  const refusal = refusalOf(record);
  const lagMs = numberAt(refusal, 'event_loop_lag_ms');
  const maxLagMs = numberAt(refusal, 'max_lag_ms');
  const perSecond = numberAt(refusal, 'allowed_per_second');
  return {
    headline: `${record.instance} could not keep up${lagMs === undefined ? '' : `: its event loop was ${lagMs} ms late`}; it refuses those who ask most, before any plugin runs`,
    ...{ cause: 'overloaded', decidedBy: GATEWAY },
    ...figure('event_loop_lag_ms', lagMs, maxLagMs),
    because: [
      `policy: the overload gate of the edge${maxLagMs === undefined ? '' : `, OVERLOAD_LAG_MS=${maxLagMs}; while it refuses it holds the lag below that`}`,
      ...(perSecond === undefined ? [] : [`each caller could make ${perSecond} requests a second then`]),
    ],
    change: [
      'add an edge, or lower the load: sluice top shows who asks most',
      'or let the loop be later: OVERLOAD_LAG_MS on the edge, 0 refuses nobody',
    ],
  };
};

const upstreamFailed: Teller = (record) => {
  const { code, message } = refusalOf(record);
  const { upstream, service, timing } = record;
  const target = upstream?.target ?? service?.name ?? 'the upstream';
  const tries = upstream?.tries ?? 0;
  const failures = (upstream?.attempts ?? []).map(
    ({ target: at, failure, us }) =>
      `${at}: ${failure ?? 'no answer'}${us === undefined ? '' : ` after ${seconds(us / 1000)}`}`,
  );
  const isTimeout = code === 'GW_UPSTREAM_TIMEOUT';
  const waitedMs = Math.round((timing.totalUs - (timing.gatewayUs ?? 0)) / 1000);
  return {
    headline: isTimeout
      ? `${target} did not answer within ${service?.readMs ?? '?'} ms`
      : `${target}: ${message}, after ${tries} ${tries === 1 ? 'try' : 'tries'}`,
    cause: UPSTREAM_CAUSES[code] ?? 'upstream_failed',
    decidedBy: { kind: 'upstream', name: target },
    number: isTimeout
      ? { name: 'waited_ms', value: waitedMs, ...(service === undefined ? {} : { limit: service.readMs }) }
      : { name: 'tries', value: tries },
    because: failures,
    change: [
      `see whether ${target} runs and answers: sluice doctor`,
      ...(isTimeout && service !== undefined
        ? [
            `or wait longer: PATCH /services/${service.name ?? service.id} with {"read_timeout":${service.readMs * 2}}`,
          ]
        : []),
      ...(service === undefined ? [] : [`look at the service: GET /services/${service.name ?? service.id}`]),
    ],
  };
};

const UPSTREAM_CAUSES: Readonly<Record<string, string>> = {
  GW_UPSTREAM_TIMEOUT: 'upstream_timeout',
  GW_UPSTREAM_INVALID: 'upstream_invalid',
  GW_UPSTREAM_UNAVAILABLE: 'upstream_unavailable',
  GW_NAME_NOT_RESOLVED: 'name_not_resolved',
  GW_NO_PEER: 'no_healthy_target',
};

/** For every other refusal, by its own words and figures. */
const generic: Teller = (record, configuration) => {
  const refusal = refusalOf(record);
  const refuser = refuserOf(record);
  const { code, message, reason, facts = {} } = refusal;
  const figures = Object.entries(facts);
  const [name, value] = figures.find(([, one]) => typeof one === 'number') ?? [];
  return {
    headline: message,
    cause: reason ?? code.replace(/^GW_/, '').toLowerCase(),
    decidedBy: deciderOf(refuser),
    ...(name === undefined ? {} : { number: { name, value: Number(value) } }),
    because: [
      ...(refuser === undefined ? [] : [`refused by the ${policyName(refuser, configuration)}`]),
      ...figures.map(([one, is]) => `${one.replaceAll('_', ' ')}: ${is}`),
      `${code}, ${sourceOf(code)}`,
    ],
    change: [
      ...(refuser === undefined || isByDefault(refuser)
        ? []
        : [`look at the policy: GET /plugins/${refuser.id}`]),
      ...(REMEDIES[code] ?? []),
    ],
  };
};

const sourceOf = (code: string): string => {
  const row = ERRORS[code as ErrorCode] as (typeof ERRORS)[ErrorCode] | undefined;
  if (row === undefined) return 'an error of a newer edge';
  return `${{ client: 'the client can mend it', gateway: 'the gateway’s own state', upstream: 'the upstream’s state' }[row.source]}; ${row.retryable ? 'worth a retry' : 'a retry changes nothing'}`;
};

const REMEDIES: Readonly<Record<string, readonly string[]>> = {
  GW_NO_SERVICE: ['give the route a service: PATCH /routes/{route}'],
  GW_NOT_READY: ['apply a configuration: sluice apply'],
  GW_LIMITER_UNAVAILABLE: [
    'bring ratelimit and Redis back: sluice doctor; or let requests pass meanwhile with config.fault_tolerant',
  ],
  GW_PLUGIN_FAILED: ['look for "plugin failed" with this request id in the log of the edge'],
  GW_FORBIDDEN: [
    'give the caller what the policy asks for (a group: POST /consumers/{consumer}/acls), or change the policy',
  ],
};

const TELLERS: Readonly<Record<string, Teller>> = {
  GW_UNAUTHENTICATED: unauthenticated,
  GW_RATE_LIMITED: limited,
  GW_QUOTA_EXCEEDED: quotaExceeded,
  GW_PAYLOAD_TOO_LARGE: tooLarge,
  GW_TENANT_MISMATCH: tenantMismatch,
  GW_NO_ROUTE: noRoute,
  GW_AUTH_UNAVAILABLE: authUnavailable,
  GW_OVERLOADED: overloaded,
  GW_UPSTREAM_TIMEOUT: upstreamFailed,
  GW_UPSTREAM_INVALID: upstreamFailed,
  GW_UPSTREAM_UNAVAILABLE: upstreamFailed,
  GW_NAME_NOT_RESOLVED: upstreamFailed,
  GW_NO_PEER: upstreamFailed,
};

/** What there is to say of a refusal, by its code. */
export const toldByCode: Teller = (record, configuration) =>
  (TELLERS[refusalOf(record).code] ?? generic)(record, configuration);

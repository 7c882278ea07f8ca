import { entitySchema } from './entity.ts';
import {
  array,
  boolean,
  conditional,
  distinct,
  type Field,
  foreign,
  integer,
  mustBeSet,
  number,
  record,
  string,
} from './field.ts';
import { checkPath, headerName, readAddress } from './typedefs.ts';

const HASH_ON = ['none', 'consumer', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture'] as const;

const checkUpstreamName = (value: string): string | undefined => {
  const address = readAddress(value);
  if (address === undefined) return `Invalid name ('${value}'); must be a valid hostname`;
  if (address.kind !== 'name') return `Invalid name ('${value}'); no ip addresses allowed`;
  return address.port === undefined ? undefined : `Invalid name ('${value}'); no port allowed`;
};

const checkHostHeader = (value: string): string | undefined =>
  readAddress(value) === undefined ? `invalid value: ${value}` : undefined;

const count: Field = integer({ default: 0, between: [0, 255] });
const seconds = (fallback: number): Field => number({ default: fallback, between: [0, 65_535] });
const statuses = (fallback: readonly number[]): Field =>
  array(integer({ between: [100, 999] }), { default: fallback });
const probe: Field = string({ default: 'http', oneOf: ['tcp', 'http', 'https', 'grpc', 'grpcs'] });
const path: Field = string({ default: '/', check: checkPath });
const PASSIVE_HEALTHY = [
  200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
];

const active = record(
  {
    type: probe,
    timeout: seconds(1),
    concurrency: integer({ default: 10, between: [1, 2_147_483_648] }),
    http_path: path,
    https_sni: string({ check: checkHostHeader }),
    https_verify_certificate: boolean(true),
    headers: { type: 'map', keys: headerName, values: array({ type: 'string' }) },
    healthy: record(
      { interval: seconds(0), successes: count, http_statuses: statuses([200, 302]) },
      { required: true },
    ),
    unhealthy: record(
      {
        interval: seconds(0),
        http_failures: count,
        tcp_failures: count,
        timeouts: count,
        http_statuses: statuses([429, 404, 500, 501, 502, 503, 504, 505]),
      },
      { required: true },
    ),
  },
  { required: true },
);

const passive = record(
  {
    type: probe,
    healthy: record({ successes: count, http_statuses: statuses(PASSIVE_HEALTHY) }, { required: true }),
    unhealthy: record(
      {
        http_failures: count,
        tcp_failures: count,
        timeouts: count,
        http_statuses: statuses([429, 500, 503]),
      },
      { required: true },
    ),
  },
  { required: true },
);

const needs = (field: string, value: string, target: string) =>
  conditional({ field, when: (actual) => actual === value, target, must: mustBeSet });
const fallbackOnly = (hashOn: string, allowed: readonly string[]) =>
  conditional({
    field: 'hash_on',
    when: (actual) => actual === hashOn,
    target: 'hash_fallback',
    must: (fallback) =>
      allowed.includes(String(fallback)) ? undefined : `expected one of: ${allowed.join(', ')}`,
  });
const without = (value: string): string[] => HASH_ON.filter((name) => name !== value);

/** The algorithm follows from `hash_on` and the reverse, as in Kong. */
const settleAlgorithm = (submitted: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const { algorithm, hash_on: hashOn } = submitted;
  if (algorithm === 'least-connections' || algorithm === 'latency') return { ...submitted, hash_on: 'none' };
  if (hashOn === undefined || hashOn === null) return { ...submitted };
  return { ...submitted, algorithm: hashOn === 'none' ? 'round-robin' : 'consistent-hashing' };
};

/** kong-compat 2.3. */
export const upstreamSchema = entitySchema({
  kind: 'upstreams',
  endpointKey: 'name',
  children: { targets: 'upstream' },
  prepare: settleAlgorithm,
  fields: {
    name: string({ required: true, check: checkUpstreamName }),
    algorithm: string({
      default: 'round-robin',
      oneOf: ['consistent-hashing', 'least-connections', 'round-robin', 'latency'],
    }),
    hash_on: string({ default: 'none', oneOf: HASH_ON }),
    hash_fallback: string({ default: 'none', oneOf: HASH_ON }),
    hash_on_header: headerName,
    hash_fallback_header: headerName,
    hash_on_cookie: string(),
    hash_on_cookie_path: path,
    hash_on_query_arg: string(),
    hash_fallback_query_arg: string(),
    hash_on_uri_capture: string(),
    hash_fallback_uri_capture: string(),
    slots: integer({ default: 10_000, between: [10, 65_536] }),
    healthchecks: record(
      { active, passive, threshold: number({ default: 0, between: [0, 100] }) },
      { required: true },
    ),
    host_header: string({ check: checkHostHeader }),
    client_certificate: foreign('certificates'),
    use_srv_name: boolean(false),
  },
  checks: [
    needs('hash_on', 'header', 'hash_on_header'),
    needs('hash_fallback', 'header', 'hash_fallback_header'),
    needs('hash_on', 'cookie', 'hash_on_cookie'),
    needs('hash_fallback', 'cookie', 'hash_on_cookie'),
    fallbackOnly('none', ['none']),
    fallbackOnly('cookie', ['none']),
    ...['consumer', 'ip', 'path'].map((name) => fallbackOnly(name, without(name))),
    needs('hash_on', 'query_arg', 'hash_on_query_arg'),
    needs('hash_fallback', 'query_arg', 'hash_fallback_query_arg'),
    needs('hash_on', 'uri_capture', 'hash_on_uri_capture'),
    needs('hash_fallback', 'uri_capture', 'hash_fallback_uri_capture'),
    ...['header', 'query_arg', 'uri_capture'].map((name) =>
      distinct([`hash_on_${name}`, `hash_fallback_${name}`]),
    ),
  ],
});

const DEFAULT_PORT = 8000;

const checkTarget = (value: string): string | undefined =>
  readAddress(value) === undefined
    ? `Invalid target ('${value}'); not a valid hostname or ip address`
    : undefined;

const completeTarget = (value: string): string => {
  const address = readAddress(value);
  if (address === undefined) return value;
  const host = address.kind === 'ipv6' ? `[${address.host}]` : address.host;
  return `${host}:${address.port ?? DEFAULT_PORT}`;
};

/** kong-compat 2.3. The times of a target may have decimals. */
const targetBase = entitySchema({
  kind: 'targets',
  cacheKey: ['upstream', 'target'],
  fields: {
    target: { ...string({ required: true, check: checkTarget }), normalize: completeTarget },
    weight: integer({ default: 100, between: [0, 65_535] }),
    upstream: foreign('upstreams', { required: true }),
  },
});

export const targetSchema = {
  ...targetBase,
  fields: { ...targetBase.fields, created_at: number(), updated_at: number() },
};

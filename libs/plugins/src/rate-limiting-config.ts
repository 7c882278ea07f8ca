import { PERIODS } from '@sluice/contracts';
import type { z } from 'zod';
import {
  between,
  checked,
  choice,
  decimal,
  type Finding,
  flag,
  headerName,
  httpPath,
  integer,
  needs,
  record,
  text,
  unset,
  WHOLE,
} from './fields.ts';
import type { WarningContext } from './plugin.ts';
import { redisWarning } from './redis-warning.ts';

const MIN_SYNC_RATE_SECONDS = 0.02;
const MAX_TIMEOUT_MS = 2_147_483_646;

const limit = (period: string) =>
  unset(decimal().positive('value must be greater than 0')).describe(`Requests a ${period}.`);
const port = () => between(0, 65_535);
const timeout = () => between(0, MAX_TIMEOUT_MS);

/** Kong's settings of a Redis connection. */
export const redisConfig = record({
  host: unset(text()).describe('Kept; the counters live where the process is told by REDIS_URL.'),
  port: port().default(6379).describe('Port of Redis.'),
  timeout: timeout().default(2000).describe('Longest wait for Redis, in ms.'),
  username: unset(text()).describe('User of Redis.'),
  password: unset(text()).describe('Password of Redis.'),
  database: integer().default(0).describe('Database of Redis.'),
  ssl: flag().default(false).describe('Connect to Redis over TLS.'),
  ssl_verify: flag().default(false).describe("Verify the certificate of Redis's server."),
  server_name: unset(text()).describe('Server name for TLS.'),
  keepalive_pool_size: integer().optional().describe('Kong Enterprise; accepted and ignored.'),
  keepalive_backlog: integer().optional().describe('Kong Enterprise; accepted and ignored.'),
});

const deprecated = <T extends z.ZodType>(field: T, name: string) =>
  field.nullable().optional().describe(`Deprecated; write redis.${name}.`);

/** The same settings under the names they had before Kong 3.8. */
export const flatRedis = {
  redis_host: deprecated(text(), 'host'),
  redis_port: deprecated(port(), 'port'),
  redis_timeout: deprecated(timeout(), 'timeout'),
  redis_username: deprecated(text(), 'username'),
  redis_password: deprecated(text(), 'password'),
  redis_database: deprecated(integer(), 'database'),
  redis_ssl: deprecated(flag(), 'ssl'),
  redis_ssl_verify: deprecated(flag(), 'ssl_verify'),
  redis_server_name: deprecated(text(), 'server_name'),
};

const Config = record({
  second: limit('second'),
  minute: limit('minute'),
  hour: limit('hour'),
  day: limit('day'),
  month: limit('month'),
  year: limit('year'),
  limit_by: choice(['consumer', 'credential', 'ip', 'service', 'header', 'path'])
    .default('consumer')
    .describe('Who has the budget; unknown callers are told apart by address.'),
  header_name: unset(headerName()).describe('Header that names the budget, for limit_by header.'),
  path: unset(httpPath()).describe('Path that has the budget, for limit_by path.'),
  policy: choice(['local', 'redis', 'cluster'])
    .default('local')
    .describe('Accepted as in Kong; the limiter process counts in every case.'),
  fault_tolerant: flag().default(true).describe('Requests pass while the limiter is away.'),
  hide_client_headers: flag().default(false).describe('Send no rate-limit headers.'),
  error_code: decimal()
    .positive('value must be greater than 0')
    .default(429)
    .describe('Status of a refusal.'),
  error_message: text().default('API rate limit exceeded').describe('Message of a refusal.'),
  sync_rate: decimal()
    .default(-1)
    .describe('Seconds between synchronisations in Kong; -1: at once, as here.'),
  redis: redisConfig.prefault({}).describe('Connection of the redis policy.'),
  exact: flag()
    .optional()
    .describe('Every request is counted by the limiter itself; else edges lease parts of large limits.'),
  ...flatRedis,
});
export type RateLimitingConfig = z.output<typeof Config>;

const FLAT = [
  'host',
  'port',
  'timeout',
  'username',
  'password',
  'database',
  'ssl',
  'ssl_verify',
  'server_name',
] as const;
type Flat = (typeof FLAT)[number];
const DEFAULT_REDIS = redisConfig.parse({});
/** A configuration that says where Redis is, by its old names or by the new ones. */
type RedisPlace = Pick<RateLimitingConfig, 'redis' | `redis_${Flat}`>;

/** The deprecated fields that are set, with the place that holds their value now. */
const flatFields = (config: RedisPlace) =>
  FLAT.flatMap((name) => {
    const value = config[`redis_${name}`];
    return value === undefined || value === null ? [] : [{ name, value }];
  });

const orderFindings = function* (config: RateLimitingConfig): Generator<Finding> {
  const set = PERIODS.flatMap((period) => {
    const limit = config[period];
    return limit === null ? [] : [{ period, limit }];
  });
  const names = PERIODS.map((period) => `'config.${period}'`).join(', ');
  if (set.length === 0)
    yield {
      path: WHOLE,
      message: `at least one of these fields must be non-empty: ${names}`,
      of: PERIODS,
    };
  for (const [i, short] of set.entries())
    for (const long of set.slice(i + 1))
      if (long.limit < short.limit) {
        const [l, s] = [long, short].map((p) => `${p.period}(${p.limit.toFixed(1)})`);
        yield { path: WHOLE, message: `The limit for ${l} cannot be lower than the limit for ${s}` };
        return;
      }
};

const HIDDEN = '***';
const shown = (name: Flat, value: unknown): unknown => (name === 'password' ? HIDDEN : value);

/** Old and new names that say different things. */
export const redisMismatches = function* (config: RedisPlace): Generator<Finding> {
  for (const { name, value } of flatFields(config)) {
    const written = config.redis[name];
    if (written === value || written === DEFAULT_REDIS[name]) continue;
    const pair = `redis_${name} = ${shown(name, value)} vs redis.${name} = ${shown(name, written)}`;
    const message = `both deprecated and new field are used but their values mismatch: ${pair}`;
    yield { path: [`redis_${name}`], message };
  }
};

const redisFindings = function* (config: RateLimitingConfig): Generator<Finding> {
  yield* redisMismatches(config);
  if (config.policy === 'redis' && config.redis.host === null && !config.redis_host)
    yield* needs('policy', ['redis', 'host'], 'required field missing');
};

const syncFindings = function* ({ sync_rate, policy }: RateLimitingConfig): Generator<Finding> {
  if (sync_rate === -1) return;
  if (policy !== 'redis') yield { path: WHOLE, message: 'sync_rate can only be used with the redis policy' };
  else if (sync_rate < MIN_SYNC_RATE_SECONDS)
    yield { path: WHOLE, message: 'sync_rate must be greater than 0.02, or -1 to disable' };
};

const findings = function* (config: RateLimitingConfig): Generator<Finding> {
  yield* orderFindings(config);
  if (config.limit_by === 'header' && config.header_name === null)
    yield* needs('limit_by', ['header_name'], 'required field missing');
  if (config.limit_by === 'path' && config.path === null)
    yield* needs('limit_by', ['path'], 'required field missing');
  yield* redisFindings(config);
  yield* syncFindings(config);
};

/** Deprecated fields move to where they belong and stay where they were, as Kong echoes them. */
export const mapFlatFields = <Config extends RedisPlace>(config: Config): Config => ({
  ...config,
  redis: {
    ...config.redis,
    ...Object.fromEntries(flatFields(config).map(({ name, value }) => [name, value])),
  },
});

/** The plugin's configuration, checked as Kong does. */
export const rateLimitingConfig = checked(Config, findings).overwrite(mapFlatFields);

/** What is accepted without an effect, or should be written otherwise. */
export const rateLimitingWarnings = (config: RateLimitingConfig, context: WarningContext): string[] => [
  ...redisWarning(config.redis, context),
  ...(['keepalive_pool_size', 'keepalive_backlog'] as const)
    .filter((name) => config.redis[name] !== undefined)
    .map((name) => `redis.${name} is a setting of Kong Enterprise and has no effect; remove it`),
  ...flatFields(config).map(({ name }) => `redis_${name} is deprecated; write redis.${name}`),
];

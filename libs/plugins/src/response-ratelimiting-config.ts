import { PERIODS } from '@sluice/contracts';
import { z } from 'zod';
import { checked, choice, decimal, type Finding, flag, headerName, record, text, unset } from './fields.ts';
import { flatRedis, mapFlatFields, redisConfig, redisMismatches } from './rate-limiting-config.ts';

const limit = (period: string) =>
  unset(decimal().positive('value must be greater than 0')).describe(`Units a ${period}.`);

const Limits = record({
  second: limit('second'),
  minute: limit('minute'),
  hour: limit('hour'),
  day: limit('day'),
  month: limit('month'),
  year: limit('year'),
});

const Config = record({
  limits: z
    .record(text().min(1, 'length must be at least 1'), Limits, {
      error: ({ input }) => (input === undefined ? 'required field missing' : 'expected a map'),
    })
    .describe('Limits by name; answers say what they cost, `X-Kong-Limit: videos=2, images`.'),
  header_name: headerName()
    .default('x-kong-limit')
    .describe("Header of the upstream's answer with the cost."),
  limit_by: choice(['consumer', 'credential', 'ip'])
    .default('consumer')
    .describe('Who has the budget; unknown callers are told apart by address.'),
  policy: choice(['local', 'cluster', 'redis'])
    .default('local')
    .describe('Accepted as in Kong; each edge counts in its own memory.'),
  fault_tolerant: flag().default(true).describe('Accepted as in Kong; counting here cannot fail.'),
  block_on_first_violation: flag()
    .default(false)
    .describe('Refuse requests as soon as one limit is used up, before the upstream is called.'),
  hide_client_headers: flag().default(false).describe('Send no rate-limit headers.'),
  redis: redisConfig.prefault({}).describe('Accepted as in Kong.'),
  ...flatRedis,
});
export type ResponseRateLimitingConfig = z.output<typeof Config>;

const isHeaderPart = (name: string): boolean => /^[A-Za-z0-9_-]+$/.test(name);

const limitFindings = function* ({ limits }: ResponseRateLimitingConfig): Generator<Finding> {
  const names = Object.keys(limits);
  if (names.length === 0) yield { path: ['limits'], message: 'length must be at least 1' };
  for (const [name, periods] of Object.entries(limits)) {
    const path = ['limits', name];
    if (!isHeaderPart(name))
      yield { path, message: `'${name}' becomes part of a header; use A-Z, a-z, 0-9, '_' and '-'` };
    const set = PERIODS.filter((period) => periods[period] !== null);
    const listed = PERIODS.map((period) => `'${period}'`).join(', ');
    if (set.length === 0)
      yield { path, message: `at least one of these fields must be non-empty: ${listed}` };
    for (const [i, long] of set.entries())
      for (const short of set.slice(0, i))
        if ((periods[long] ?? 0) < (periods[short] ?? 0))
          yield { path, message: `The limit for ${long} cannot be lower than the limit for ${short}` };
  }
};

const findings = function* (config: ResponseRateLimitingConfig): Generator<Finding> {
  yield* limitFindings(config);
  yield* redisMismatches(config);
};

/** The plugin's configuration, checked as Kong does. */
export const responseRateLimitingConfig = checked(Config, findings).overwrite(mapFlatFields);

/** What is accepted without an effect. */
export const responseRateLimitingWarnings = ({ policy }: ResponseRateLimitingConfig): string[] =>
  policy === 'local'
    ? []
    : [`policy ${policy} has no effect here: each edge counts on its own; divide the limits by the edges`];

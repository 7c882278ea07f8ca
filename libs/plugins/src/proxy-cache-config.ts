import type { z } from 'zod';
import {
  between,
  checked,
  choice,
  type Finding,
  flag,
  integer,
  listOf,
  record,
  text,
  unset,
} from './fields.ts';

const METHODS = ['HEAD', 'GET', 'POST', 'PATCH', 'PUT'] as const;
const isMediaType = (value: string): boolean => /^[^\s/;]+\/[^\s/;]+(?:\s*;.*)?$/.test(value);
const seconds = () => integer().positive('value must be greater than 0');
const shown = () => flag().default(true);

const Config = record({
  strategy: choice(['memory']).describe('Where answers are kept: memory, of each edge.'),
  memory: record({
    dictionary_name: text().default('kong_db_cache').describe('Accepted as in Kong.'),
  })
    .prefault({})
    .describe('Settings of the memory strategy.'),
  response_code: listOf(between(100, 900))
    .min(1, 'length must be at least 1')
    .default([200, 301, 404])
    .describe('Statuses of answers that are kept.'),
  request_method: listOf(choice(METHODS))
    .default(['GET', 'HEAD'])
    .describe('Methods whose answers are kept; bodies of requests are part of the key.'),
  content_type: listOf(text())
    .default(['text/plain', 'application/json'])
    .describe('Content types of answers that are kept, with their parameters.'),
  cache_ttl: seconds().default(300).describe('How long an answer is fresh, in seconds.'),
  cache_control: flag().default(false).describe('Follow Cache-Control of requests and answers.'),
  storage_ttl: unset(integer()).describe('How long an answer is kept, in seconds; unset: while it is fresh.'),
  ignore_uri_case: flag().default(false).describe('Take paths that differ in case only for the same.'),
  vary_query_params: unset(listOf(text())).describe('Query arguments in the key; unset: all.'),
  vary_headers: unset(listOf(text())).describe('Headers in the key.'),
  response_headers: record({
    age: shown().describe('Send `age` with a stored answer.'),
    'X-Cache-Status': shown().describe('Send `X-Cache-Status`.'),
    'X-Cache-Key': shown().describe('Send `X-Cache-Key`.'),
  })
    .prefault({})
    .describe('Headers to send.'),
});
export type ProxyCacheConfig = z.output<typeof Config>;

const findings = function* ({ content_type }: ProxyCacheConfig): Generator<Finding> {
  for (const [i, value] of content_type.entries())
    if (!isMediaType(value))
      yield { path: ['content_type', i], message: `'${value}' is not a media type; write type/subtype` };
};

/** The plugin's configuration, checked as Kong does. */
export const proxyCacheConfig = checked(Config, findings);

import type { z } from 'zod';
import {
  checked,
  choice,
  type Finding,
  flag,
  fraction,
  headerName,
  httpUrl,
  integer,
  listOf,
  record,
  text,
  unset,
} from './fields.ts';
import { queueConfig, sendTimeouts } from './log-queue.ts';
import { DEFAULT_HEADER_TYPES, HEADER_TYPES, propagationConfig } from './trace-propagation.ts';

/** Tags that the plugin itself sets. */
const PROTECTED_TAGS = [
  'error',
  'http.method',
  'http.path',
  'http.status_code',
  'kong.balancer.state',
  'kong.balancer.try',
  'kong.consumer',
  'kong.credential',
  'kong.node.id',
  'kong.route',
  'kong.service',
  'lc',
  'peer.hostname',
];

const tagName = () =>
  text().refine((name) => !PROTECTED_TAGS.includes(name), `must not be one of: ${PROTECTED_TAGS.join(', ')}`);

const Fields = record({
  http_endpoint: unset(httpUrl()).describe('Where spans are sent, in Zipkin’s format; unset: nowhere.'),
  sample_ratio: fraction()
    .default(0.001)
    .describe('Share of requests that are recorded where the caller does not decide, 0 to 1.'),
  local_service_name: text().default('kong').describe('Name of the gateway in the spans.'),
  default_service_name: unset(text()).describe('Name of the other side where no service is known.'),
  include_credential: flag().default(true).describe('Tag spans with the id of the caller’s credential.'),
  traceid_byte_count: integer()
    .refine((count) => count === 8 || count === 16, 'expected one of: 8, 16')
    .default(16)
    .describe('Length of the trace ids that begin here, in bytes: 8 or 16.'),
  header_type: choice(HEADER_TYPES).default('preserve').describe('Deprecated; write propagation.'),
  default_header_type: choice(DEFAULT_HEADER_TYPES)
    .default('b3')
    .describe('Deprecated; write propagation.default_format.'),
  tags_header: text().default('Zipkin-Tags').describe('Request header with tags, `name=value; …`.'),
  static_tags: unset(
    listOf(
      record({
        name: tagName().describe('Name of the tag.'),
        value: text().describe('Value of the tag.'),
      }),
    ),
  ).describe('Tags of every request span.'),
  http_span_name: choice(['method', 'method_path'])
    .default('method')
    .describe('What spans are called: by method, or by method and path.'),
  ...sendTimeouts(2000),
  http_response_header_for_traceid: unset(headerName()).describe(
    'Header that tells the client the trace id.',
  ),
  phase_duration_flavor: choice(['annotations', 'tags'])
    .default('annotations')
    .describe('How the phases’ times are told.'),
  queue: queueConfig.describe('How spans wait.'),
  propagation: propagationConfig('b3'),
});
export type ZipkinConfig = z.output<typeof Fields>;

const findings = function* ({ static_tags: tags }: ZipkinConfig): Generator<Finding> {
  const names = (tags ?? []).map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined)
    yield { path: ['static_tags'], message: `repeated tags are not allowed: ${repeated}` };
};

/** Kong's fields (kong-compat 4.19). */
export const Config = checked(Fields, findings);

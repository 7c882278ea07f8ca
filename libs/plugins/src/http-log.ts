import type { z } from 'zod';
import { customFields } from './custom-fields.ts';
import { defineLogger } from './define-logger.ts';
import {
  checked,
  choice,
  decimal,
  type Finding,
  headerName,
  headerText,
  httpUrl,
  integer,
  mapOf,
  record,
} from './fields.ts';
import { jsonTypes, queueConfig, queueOf } from './log-queue.ts';

const deprecated = (remedy: string, schema: z.ZodType<number>) =>
  schema.nullable().optional().describe(`Deprecated; ${remedy}.`);

const Config = record({
  http_endpoint: httpUrl().describe(
    'Where records are sent; user information in it becomes Basic authorization.',
  ),
  method: choice(['POST', 'PUT', 'PATCH']).default('POST').describe('Method of the requests.'),
  content_type: jsonTypes().default('application/json').describe('Content-Type of the requests.'),
  timeout: decimal().default(10_000).describe('Longest wait for the receiver, in ms.'),
  keepalive: decimal().default(60_000).describe('How long an idle connection is kept, in ms.'),
  headers: mapOf(headerName(), headerText()).nullable().default(null).describe('Headers to add.'),
  queue: queueConfig.describe('How records wait.'),
  custom_fields_by_lua: customFields(),
  retry_count: deprecated('write queue.max_retry_time', integer()),
  queue_size: deprecated('write queue.max_batch_size', integer()),
  flush_timeout: deprecated('write queue.max_coalescing_delay', decimal()),
});
type HttpLogConfig = z.output<typeof Config>;

const OWN_HEADERS = ['Host', 'Content-Length', 'Content-Type'];
const findings = function* ({ headers }: HttpLogConfig): Generator<Finding> {
  for (const name of Object.keys(headers ?? {})) {
    const own = OWN_HEADERS.find((header) => header.toLowerCase() === name.toLowerCase());
    if (own !== undefined) yield { path: ['headers'], message: `cannot contain '${own}' header` };
  }
};

const basic = ({ username, password }: URL): Record<string, string> => {
  if (username === '' && password === '') return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { Authorization: `Basic ${Buffer.from(login).toString('base64')}` };
};

/** Kong's `http-log`: sends the record of every request to an HTTP server. */
export const httpLog = defineLogger({
  name: 'http-log',
  priority: 12,
  summary: 'Sends a record of every request to an HTTP server.',
  config: checked(Config, findings),
  warnings: ({ retry_count, queue_size, flush_timeout }) =>
    Object.entries({ retry_count, queue_size, flush_timeout })
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name]) => `${name} is deprecated; write the field of queue that replaced it`),
  sinkOf: (config) => {
    const url = URL.parse(config.http_endpoint) ?? new URL('http://unresolved.invalid'); // a reference to nothing
    const headers = { ...basic(url), ...config.headers, 'Content-Type': config.content_type };
    url.username = '';
    url.password = '';
    return {
      kind: 'http',
      url: url.href,
      method: config.method,
      headers,
      timeoutMs: config.timeout,
      keepAliveMs: config.keepalive,
      queue: queueOf({
        ...config.queue,
        max_batch_size: config.queue_size ?? config.queue.max_batch_size,
        max_coalescing_delay: config.flush_timeout ?? config.queue.max_coalescing_delay,
      }),
    };
  },
});

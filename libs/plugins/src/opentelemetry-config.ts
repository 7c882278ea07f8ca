import type { z } from 'zod';
import {
  checked,
  choice,
  type Finding,
  filled,
  fraction,
  headerName,
  headerText,
  httpUrl,
  integer,
  mapOf,
  record,
  text,
  unset,
} from './fields.ts';
import { queueConfig, queueOf, sendTimeouts } from './log-queue.ts';
import type { LogSink } from './log-sink.ts';
import { exportRequest } from './trace-otlp.ts';
import { HEADER_TYPES, propagationConfig } from './trace-propagation.ts';

const BATCH = 200;

const Fields = record({
  traces_endpoint: unset(httpUrl()).describe('Where spans are sent, by OTLP over HTTP.'),
  logs_endpoint: unset(httpUrl()).describe('Where a log line of every request is sent, by OTLP over HTTP.'),
  endpoint: httpUrl().nullable().optional().describe('Deprecated; write traces_endpoint.'),
  headers: mapOf(headerName(), headerText())
    .nullable()
    .default(null)
    .describe('Headers to add to what is sent, such as a token.'),
  resource_attributes: mapOf(text(), filled())
    .nullable()
    .default(null)
    .describe('Attributes of the resource; `service.name` is `kong` unless it is given.'),
  queue: queueConfig.prefault({ max_batch_size: BATCH }).describe('How spans wait.'),
  batch_span_count: integer().nullable().optional().describe('Deprecated; write queue.max_batch_size.'),
  batch_flush_delay: integer()
    .nullable()
    .optional()
    .describe('Deprecated; write queue.max_coalescing_delay.'),
  ...sendTimeouts(1000),
  http_response_header_for_traceid: unset(headerName()).describe(
    'Header that tells the client the trace id.',
  ),
  header_type: choice(HEADER_TYPES).nullable().default('preserve').describe('Deprecated; write propagation.'),
  sampling_rate: unset(fraction()).describe(
    'Share of requests that are recorded, 0 to 1; unset: the setting TRACING_SAMPLING_RATE.',
  ),
  propagation: propagationConfig('w3c'),
});
export type OpentelemetryConfig = z.output<typeof Fields>;

const findings = function* (config: OpentelemetryConfig): Generator<Finding> {
  if (config.traces_endpoint ?? config.logs_endpoint ?? config.endpoint) return;
  const message = "at least one of these fields must be non-empty: 'traces_endpoint', 'logs_endpoint'";
  yield { path: ['@entity'], message };
};

/** Kong's fields (kong-compat 4.18). */
export const Config = checked(Fields, findings);

/** What a configuration says in deprecated fields. */
export const deprecated = ({
  endpoint,
  batch_span_count,
  batch_flush_delay,
}: OpentelemetryConfig): string[] =>
  Object.entries({ endpoint, batch_span_count, batch_flush_delay })
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name]) => `${name} is deprecated; write the field that replaced it`);

/** A receiver of spans or log lines; undefined without an address. */
export const sinkTo = (url: string | null | undefined, config: OpentelemetryConfig): LogSink | undefined => {
  if (url === null || url === undefined) return undefined;
  const { headers, resource_attributes, queue, batch_span_count, batch_flush_delay } = config;
  const hasType = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'content-type');
  return {
    kind: 'http',
    url,
    method: 'POST',
    headers: { ...(hasType ? {} : { 'Content-Type': 'application/x-protobuf' }), ...headers },
    timeoutMs: config.read_timeout,
    connectTimeoutMs: config.connect_timeout,
    sendTimeoutMs: config.send_timeout,
    compose: exportRequest(resource_attributes ?? {}),
    queue: queueOf({
      ...queue,
      max_batch_size: batch_span_count ?? queue.max_batch_size,
      max_coalescing_delay: batch_flush_delay ?? queue.max_coalescing_delay,
    }),
  };
};

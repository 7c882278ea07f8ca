import type { SinkEntry, SinkSender } from './log-sink.ts';
import { bytes, double, fixed32, message, nanoseconds, string, uint } from './trace-protobuf.ts';

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;

/** A finished span. Ids in hex, Unix time in ms. */
export interface TraceSpan {
  readonly name: string;
  readonly kind: (typeof SPAN_KIND)[keyof typeof SPAN_KIND];
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly from: number;
  readonly until: number;
  readonly attributes: Attributes;
  readonly hasFailed: boolean;
}

/** A log line of a request. */
export interface TraceLog {
  readonly at: number;
  readonly severity: 'INFO' | 'WARN' | 'ERROR';
  readonly body: string;
  readonly attributes: Attributes;
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

const SCOPE = [string(1, 'kong-internal'), string(2, '0.1.0')];
/** Kong sends every number as a double but this one. */
const INTEGERS = new Set(['http.status_code']);
const STATUS_ERROR = 2;
const SEVERITY = { INFO: 9, WARN: 13, ERROR: 17 } as const;

const value = (key: string, given: string | number | boolean): Buffer => {
  if (typeof given === 'string') return string(1, given);
  if (typeof given === 'boolean') return uint(2, given ? 1 : 0);
  return INTEGERS.has(key) ? uint(3, given) : double(4, given);
};

const attributesAs = (field: number, attributes: Attributes): Buffer[] =>
  Object.entries(attributes).flatMap(([key, given]) =>
    given === undefined ? [] : [message(field, string(1, key), message(2, value(key, given)))],
  );

const id = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** `opentelemetry.proto.trace.v1.Span`. */
export const encodeSpan = (span: TraceSpan): Buffer =>
  Buffer.concat([
    bytes(1, id(span.traceId)),
    bytes(2, id(span.spanId)),
    ...(span.parentId === undefined ? [] : [bytes(4, id(span.parentId))]),
    string(5, span.name),
    uint(6, span.kind),
    nanoseconds(7, span.from),
    nanoseconds(8, Math.max(span.from, span.until)),
    ...attributesAs(9, span.attributes),
    ...(span.hasFailed ? [message(15, uint(3, STATUS_ERROR))] : []),
  ]);

/** `opentelemetry.proto.logs.v1.LogRecord`. */
export const encodeLog = (log: TraceLog): Buffer =>
  Buffer.concat([
    nanoseconds(1, log.at),
    uint(2, SEVERITY[log.severity]),
    string(3, log.severity),
    message(5, string(1, log.body)),
    ...attributesAs(6, log.attributes),
    fixed32(8, log.isSampled ? 1 : 0),
    bytes(9, id(log.traceId)),
    bytes(10, id(log.spanId)),
    nanoseconds(11, log.at),
  ]);

/**
 * The body of an export request: the messages for traces and logs differ only in what the entries are.
 * `attributes` stand over the resource's own.
 */
export const exportRequest =
  (attributes: Attributes) =>
  (entries: readonly SinkEntry[], { nodeId, version }: SinkSender): Buffer => {
    const own = { 'service.name': 'kong', 'service.version': version, 'service.instance.id': nodeId };
    const resource = message(1, ...attributesAs(1, { ...own, ...attributes }));
    const scoped = message(2, message(1, ...SCOPE), ...entries.map((entry) => bytes(2, Buffer.from(entry))));
    return message(1, resource, scoped);
  };

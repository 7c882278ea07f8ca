import type { HeaderList } from './exchange.ts';
import type { TraceFormat } from './trace-context.ts';

export type InjectFormat = TraceFormat | 'b3-single';

/** What goes on to the upstream. Ids in hex: 32 digits of the trace, 16 of a span. */
export interface OutgoingTrace {
  readonly traceId: string;
  /** Digits that formats with a choice use for the trace id; undefined: their own. */
  readonly traceDigits: number | undefined;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly isSampled: boolean;
  readonly isDebug: boolean;
  readonly baggage: Readonly<Record<string, string>>;
}

/** Sets the headers of one format. @returns the trace id as that format writes it, for the log record. */
type Inject = (trace: OutgoingTrace, headers: HeaderList) => string;

const bit = (isSet: boolean): string => (isSet ? '1' : '0');
const decimal = (hex: string): string => BigInt(`0x${hex}`).toString();
const short = (traceId: string): string => traceId.slice(16);
const sized = ({ traceId, traceDigits }: OutgoingTrace, byDefault: number): string =>
  (traceDigits ?? byDefault) === 16 ? short(traceId) : traceId;
const addBaggage = ({ baggage }: OutgoingTrace, headers: HeaderList, prefix: string): void => {
  for (const [name, value] of Object.entries(baggage))
    headers.set(`${prefix}${name}`, encodeURIComponent(value));
};

const INJECTORS: Readonly<Record<InjectFormat, Inject>> = {
  w3c: ({ traceId, spanId, isSampled }, headers) => {
    headers.set('traceparent', `00-${traceId}-${spanId}-0${bit(isSampled)}`);
    return traceId;
  },
  b3: (trace, headers) => {
    const id = sized(trace, 32);
    headers.set('x-b3-traceid', id);
    headers.set('x-b3-spanid', trace.spanId);
    if (trace.parentId !== undefined) headers.set('x-b3-parentspanid', trace.parentId);
    if (trace.isDebug) headers.set('x-b3-flags', '1');
    else headers.set('x-b3-sampled', bit(trace.isSampled));
    return id;
  },
  'b3-single': (trace, headers) => {
    const id = sized(trace, 32);
    const sampled = trace.isDebug ? 'd' : bit(trace.isSampled);
    const parent = trace.parentId === undefined ? '' : `-${trace.parentId}`;
    headers.set('b3', `${id}-${trace.spanId}-${sampled}${parent}`);
    return id;
  },
  jaeger: (trace, headers) => {
    const id = sized(trace, 32);
    headers.set('uber-trace-id', `${id}:${trace.spanId}:${trace.parentId ?? '0'}:0${bit(trace.isSampled)}`);
    addBaggage(trace, headers, 'uberctx-');
    return id;
  },
  ot: (trace, headers) => {
    const id = sized(trace, 16);
    headers.set('ot-tracer-traceid', id);
    headers.set('ot-tracer-spanid', trace.spanId);
    headers.set('ot-tracer-sampled', bit(trace.isSampled));
    addBaggage(trace, headers, 'ot-baggage-');
    return id;
  },
  datadog: ({ traceId, spanId, isSampled }, headers) => {
    const id = decimal(short(traceId)); // 64 bits
    headers.set('x-datadog-trace-id', id);
    headers.set('x-datadog-parent-id', decimal(spanId));
    headers.set('x-datadog-sampling-priority', bit(isSampled));
    return id;
  },
  aws: ({ traceId, spanId, isSampled }, headers) => {
    const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
    headers.set('x-amzn-trace-id', `Root=${root};Parent=${spanId};Sampled=${bit(isSampled)}`);
    return traceId;
  },
  gcp: ({ traceId, spanId, isSampled }, headers) => {
    headers.set('x-cloud-trace-context', `${traceId}/${decimal(spanId)};o=${bit(isSampled)}`);
    return traceId;
  },
  instana: (trace, headers) => {
    const id = sized(trace, 32);
    headers.set('x-instana-t', id);
    headers.set('x-instana-s', trace.spanId);
    headers.set('x-instana-l', bit(trace.isSampled));
    return id;
  },
};

/** Writes a trace into headers. @returns its id as each format writes it, by the format's name. */
export const injectTrace = (
  trace: OutgoingTrace,
  formats: readonly InjectFormat[],
  headers: HeaderList,
): Record<string, string> =>
  Object.fromEntries(
    formats.map((format) => [format === 'b3-single' ? 'b3' : format, INJECTORS[format](trace, headers)]),
  );

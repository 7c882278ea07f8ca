/**
 * Where a request's trace is read from its headers, format by format, as Kong does (kong-compat 4.18). A header
 * that cannot be read counts as absent: a client's broken trace must not cost it the answer.
 */
import type { HeaderList } from './exchange.ts';
import {
  baggageIn,
  isZero,
  NO_CONTEXT,
  single,
  spanIdOf,
  type TraceContext,
  type TraceFormat,
  traceIdOf,
} from './trace-context.ts';
import { extractB3 } from './trace-extract-b3.ts';

type Extract = (headers: HeaderList) => TraceContext | undefined;

/** A context with ids of any length; undefined where it says nothing at all. */
const contextOf = (given: {
  trace: string | undefined;
  span: string | undefined;
  isSampled: boolean | undefined;
  over?: Partial<TraceContext>;
}): TraceContext | undefined => {
  const { trace, span, isSampled, over } = given;
  if (trace === undefined && isSampled === undefined) return undefined;
  return {
    ...NO_CONTEXT,
    traceId: trace === undefined ? undefined : traceIdOf(trace),
    traceDigits: trace !== undefined && trace.length <= 16 ? 16 : 32,
    spanId: trace === undefined || span === undefined ? undefined : spanIdOf(span),
    isSampled,
    ...over,
  };
};

const W3C = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/i;
const w3c: Extract = (headers) => {
  const [, trace = '', span = '', flags = ''] = W3C.exec(single(headers, 'traceparent') ?? '') ?? [];
  if (isZero(trace) || isZero(span)) return undefined;
  return contextOf({ trace, span, isSampled: (Number.parseInt(flags, 16) & 1) === 1 });
};

const JAEGER = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):([0-9a-f]+):([0-9a-f]{1,2})$/i;
const jaeger: Extract = (headers) => {
  const [, trace = '', span = '', parent = '', flags = ''] =
    JAEGER.exec(single(headers, 'uber-trace-id') ?? '') ?? [];
  if (isZero(trace) || isZero(span)) return undefined;
  const parentId = isZero(parent) ? undefined : spanIdOf(parent);
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  const over = { sharesSpan: true, parentId, baggage: baggageIn(headers, 'uberctx-') };
  return contextOf({ trace, span, isSampled, over });
};

const HEX_16_OR_32 = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i;
const HEX_16 = /^[0-9a-f]{16}$/i;
const WORDS: Readonly<Record<string, boolean>> = { 1: true, true: true, 0: false, false: false };

/** Trace and span in headers of their own; one that is malformed takes both away. */
const pair = (headers: HeaderList, traceHeader: string, spanHeader: string) => {
  const trace = single(headers, traceHeader);
  const span = single(headers, spanHeader);
  const isValid = HEX_16_OR_32.test(trace ?? '') && (span === undefined || HEX_16.test(span));
  return isValid ? { trace, span } : { trace: undefined, span: undefined };
};

const ot: Extract = (headers) =>
  contextOf({
    ...pair(headers, 'ot-tracer-traceid', 'ot-tracer-spanid'),
    isSampled: WORDS[single(headers, 'ot-tracer-sampled') ?? ''],
    over: { baggage: baggageIn(headers, 'ot-baggage-') },
  });

const instana: Extract = (headers) => {
  const level = single(headers, 'x-instana-l')?.trim().charAt(0); // `1,correlationType=…` is level 1
  const isSampled = level === '0' ? false : level === '1' ? true : undefined;
  return contextOf({ ...pair(headers, 'x-instana-t', 'x-instana-s'), isSampled });
};

const DECIMAL = /^\s*(\d{1,20})\s*$/; // 64 bits
const hexOfDecimal = (text: string | undefined): string | undefined => {
  const digits = DECIMAL.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : BigInt(digits).toString(16);
};

const PRIORITIES: Readonly<Record<string, boolean>> = { 1: true, 2: true, 0: false, '-1': false };
const datadog: Extract = (headers) => {
  const priority = single(headers, 'x-datadog-sampling-priority');
  const isSampled = PRIORITIES[priority ?? ''];
  if (priority !== undefined && isSampled === undefined) return undefined;
  const trace = hexOfDecimal(single(headers, 'x-datadog-trace-id'));
  return contextOf({ trace, span: hexOfDecimal(single(headers, 'x-datadog-parent-id')), isSampled });
};

const AWS_ROOT = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i;
const aws: Extract = (headers) => {
  const fields = new Map(
    (single(headers, 'x-amzn-trace-id') ?? '').split(';').map((field) => {
      const [key = '', value = ''] = field.split('=');
      return [key.trim(), value.trim()] as const;
    }),
  );
  const root = fields.get('Root');
  const [, time = '', unique = ''] = AWS_ROOT.exec(root ?? '') ?? [];
  const span = fields.get('Parent');
  const sampled = fields.get('Sampled');
  const isWrong =
    (root !== undefined && time === '') ||
    (span !== undefined && !HEX_16.test(span)) ||
    (sampled !== undefined && sampled !== '0' && sampled !== '1');
  if (isWrong) return undefined;
  const isSampled = sampled === undefined ? undefined : sampled === '1';
  return contextOf({ trace: root === undefined ? undefined : `${time}${unique}`, span, isSampled });
};

const GCP = /^([0-9a-f]{32})\/(\d{1,20})(?:;o=(\d))?$/;
const gcp: Extract = (headers) => {
  const [, trace, span, flags] = GCP.exec(single(headers, 'x-cloud-trace-context') ?? '') ?? [];
  return trace === undefined
    ? undefined
    : contextOf({ trace, span: hexOfDecimal(span), isSampled: flags === '1' });
};

const EXTRACTORS: Readonly<Record<TraceFormat, Extract>> = {
  b3: extractB3,
  w3c,
  jaeger,
  ot,
  datadog,
  aws,
  gcp,
  instana,
};

/** The trace in the first of these formats that the headers have. */
export const extractTrace = (
  headers: HeaderList,
  formats: readonly TraceFormat[],
): { readonly context: TraceContext; readonly format: TraceFormat } | undefined => {
  for (const format of formats) {
    const context = EXTRACTORS[format](headers);
    if (context !== undefined) return { context, format };
  }
  return undefined;
};

import type { HeaderList } from './exchange.ts';
import { NO_CONTEXT, single, spanIdOf, type TraceContext, traceIdOf } from './trace-context.ts';

const SINGLE = /^([0-9a-f]+)-([0-9a-f]{16})(?:-([01d]))?(?:-([0-9a-f]{16}))?$/i;
const TRACE_ID = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i;
const SPAN_ID = /^[0-9a-f]{16}$/i;

type Part = Pick<TraceContext, 'traceId' | 'traceDigits' | 'spanId' | 'parentId' | 'isSampled' | 'isDebug'>;
const NOTHING: Part = { ...NO_CONTEXT };

/** In `b3`, or in `tracestate: b3=…`. */
const singleHeader = (headers: HeaderList): string | undefined =>
  single(headers, 'b3') ??
  headers
    .getAll('tracestate')
    .find((state) => state.startsWith('b3='))
    ?.slice('b3='.length);

const readSingle = (text: string): Part => {
  if (text === '1' || text === 'd') return { ...NOTHING, isSampled: true, isDebug: text === 'd' };
  if (text === '0') return { ...NOTHING, isSampled: false };
  const [, traceId = '', spanId = '', sampled, parentId] = SINGLE.exec(text) ?? [];
  if (!TRACE_ID.test(traceId)) return NOTHING;
  return {
    traceId: traceIdOf(traceId),
    traceDigits: traceId.length,
    spanId: spanIdOf(spanId),
    parentId: parentId === undefined ? undefined : spanIdOf(parentId),
    isSampled: sampled === undefined ? undefined : sampled !== '0',
    isDebug: sampled === 'd',
  };
};

const SAMPLED: Readonly<Record<string, boolean>> = { 1: true, true: true, 0: false, false: false };

const readMulti = (headers: HeaderList): Part => {
  const isDebug = single(headers, 'x-b3-flags') === '1';
  const isSampled = isDebug ? true : SAMPLED[single(headers, 'x-b3-sampled') ?? ''];
  const traceId = single(headers, 'x-b3-traceid');
  const spanId = single(headers, 'x-b3-spanid');
  const parentId = single(headers, 'x-b3-parentspanid');
  const isValid =
    TRACE_ID.test(traceId ?? '') && [spanId, parentId].every((id) => id === undefined || SPAN_ID.test(id));
  if (!isValid || traceId === undefined) return { ...NOTHING, isSampled, isDebug };
  return {
    traceId: traceIdOf(traceId),
    traceDigits: traceId.length,
    spanId: spanId?.toLowerCase(),
    parentId: parentId?.toLowerCase(),
    isSampled,
    isDebug,
  };
};

/** Zipkin's B3, in one header or several; what one leaves open the others say. */
export const extractB3 = (headers: HeaderList): TraceContext | undefined => {
  const text = singleHeader(headers);
  const one = text === undefined ? NOTHING : readSingle(text);
  const many = readMulti(headers);
  const ids = one.traceId === undefined ? many : one;
  const isSampled = one.isSampled ?? many.isSampled;
  if (ids.traceId === undefined && isSampled === undefined) return undefined;
  return {
    ...NO_CONTEXT,
    traceId: ids.traceId,
    traceDigits: ids.traceDigits,
    spanId: ids.spanId,
    parentId: ids.parentId,
    sharesSpan: true,
    isSampled,
    isDebug: one.isDebug || many.isDebug,
    isSingleHeader: text !== undefined,
  };
};

import { randomBytes } from 'node:crypto';
import type { HeaderList } from './exchange.ts';

/** Header formats that a trace may travel in, in the order in which Kong looks for them. */
export const TRACE_FORMATS = ['b3', 'w3c', 'jaeger', 'ot', 'datadog', 'aws', 'gcp', 'instana'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** What tracing headers say. Ids are lower-case hex: 32 digits of a trace, 16 of a span. */
export interface TraceContext {
  readonly traceId: string | undefined;
  /** Digits of the trace id as it came, 16 or 32: formats that allow both keep it. */
  readonly traceDigits: number;
  /** The caller's span; where `sharesSpan`, the one both sides report. */
  readonly spanId: string | undefined;
  readonly parentId: string | undefined;
  /** In B3 and Jaeger the receiver goes on with the sender's span. */
  readonly sharesSpan: boolean;
  /** Undefined: the caller leaves it to us. */
  readonly isSampled: boolean | undefined;
  /** B3's debug flag. */
  readonly isDebug: boolean;
  /** B3 in one header. */
  readonly isSingleHeader: boolean;
  readonly baggage: Readonly<Record<string, string>>;
}

export const NO_CONTEXT: TraceContext = {
  traceId: undefined,
  traceDigits: 32,
  spanId: undefined,
  parentId: undefined,
  sharesSpan: false,
  isSampled: undefined,
  isDebug: false,
  isSingleHeader: false,
  baggage: {},
};

/** `bytes` random bytes as lower-case hex. */
export const randomId = (bytes: 8 | 16): string => randomBytes(bytes).toString('hex');

const sized = (hex: string, digits: number): string => hex.toLowerCase().padStart(digits, '0').slice(-digits);
/** A trace id in 32 digits. */
export const traceIdOf = (hex: string): string => sized(hex, 32);
/** A span id in 16 digits. */
export const spanIdOf = (hex: string): string => sized(hex, 16);

/** A header that came once; of one that came several times nobody knows which is meant. */
export const single = (headers: HeaderList, name: string): string | undefined => {
  const values = headers.getAll(name);
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
};

export const isZero = (hex: string): boolean => /^0*$/.test(hex);

/** Names in `prefix-<name>` headers, with their values decoded. */
export const baggageIn = (headers: HeaderList, prefix: string): Record<string, string> => {
  const baggage: Record<string, string> = {};
  for (const [name, value] of headers.entries())
    if (name.toLowerCase().startsWith(prefix) && name.length > prefix.length)
      baggage[name.slice(prefix.length).toLowerCase()] = decoded(value);
  return baggage;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not encoded at all
  }
};

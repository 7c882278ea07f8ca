import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import { choice, headerName, listOf, record, unset } from './fields.ts';
import { NO_CONTEXT, randomId, TRACE_FORMATS, type TraceContext, type TraceFormat } from './trace-context.ts';
import { extractTrace } from './trace-extract.ts';
import { type InjectFormat, injectTrace, type OutgoingTrace } from './trace-inject.ts';

const INJECTED = [...TRACE_FORMATS, 'b3-single'] as const;

/** Values of the deprecated `header_type`. */
export const HEADER_TYPES = ['preserve', 'ignore', ...INJECTED] as const;
/** Values of zipkin's deprecated `default_header_type`. */
export const DEFAULT_HEADER_TYPES = INJECTED;

/** Kong's `propagation`; `defaultFormat` stands where the whole record is left out. */
export const propagationConfig = (defaultFormat: InjectFormat) =>
  record({
    extract: unset(listOf(choice(TRACE_FORMATS))).describe('Formats to look for, the first found counts.'),
    clear: unset(listOf(headerName())).describe('Headers that do not reach the upstream.'),
    inject: unset(listOf(choice(['preserve', ...INJECTED]))).describe(
      'Formats to write; preserve: the one the client sent.',
    ),
    default_format: choice(INJECTED).describe('Format for preserve where the client sent none.'),
  })
    .prefault({ default_format: defaultFormat })
    .describe('How the trace comes in and goes on.');

/** How traces go in and out of an instance. */
export interface Propagation {
  readonly extract: readonly TraceFormat[];
  readonly clear: readonly string[];
  readonly inject: readonly (InjectFormat | 'preserve')[];
  readonly defaultFormat: InjectFormat;
}

/** The settings that count: `propagation` where it says anything, else the deprecated fields, as in Kong. */
export const propagationOf = (config: {
  readonly propagation: z.output<ReturnType<typeof propagationConfig>>;
  readonly header_type: (typeof HEADER_TYPES)[number] | null;
  readonly default_header_type?: InjectFormat | null;
}): Propagation => {
  const { extract, clear, inject, default_format: defaultFormat } = config.propagation;
  if (extract !== null || clear !== null || inject !== null || config.header_type === null)
    return { extract: extract ?? [], clear: clear ?? [], inject: inject ?? [], defaultFormat };
  const byDefault = config.default_header_type ?? defaultFormat;
  const { header_type: type } = config;
  if (type === 'ignore') return { extract: [], clear: [], inject: [byDefault], defaultFormat: byDefault };
  const formats = type === 'preserve' ? (['preserve'] as const) : (['preserve', type] as const);
  return { extract: TRACE_FORMATS, clear: [], inject: formats, defaultFormat: byDefault };
};

/** The trace a request came with, and what `preserve` means for it. */
export interface Incoming {
  readonly context: TraceContext;
  readonly preserved: InjectFormat;
}

/** Reads the request as the plugins before left it: one tracing plugin continues the trace of another. */
export const extractIncoming = ({ toUpstream }: Exchange, propagation: Propagation): Incoming => {
  const found = extractTrace(toUpstream, propagation.extract);
  if (found === undefined) return { context: NO_CONTEXT, preserved: propagation.defaultFormat };
  const { context, format } = found;
  return { context, preserved: format === 'b3' && context.isSingleHeader ? 'b3-single' : format };
};

/** The id of a trace that begins here: the edge's own, unless that is a caller's that is not to be continued. */
export const ownTraceId = ({ traceId, fromClient }: Exchange): string =>
  extractTrace(fromClient, TRACE_FORMATS)?.context.traceId === traceId ? randomId(16) : traceId;

/** Clears and writes tracing headers. @returns the trace id as each format writes it. */
export const sendOn = (
  { toUpstream }: Exchange,
  { clear, inject }: Propagation,
  { context, preserved }: Incoming,
  trace: Pick<OutgoingTrace, 'traceId' | 'spanId' | 'parentId' | 'isSampled'>,
): Record<string, string> => {
  for (const name of clear) toUpstream.delete(name);
  const outgoing = {
    ...trace,
    traceDigits: context.traceId === undefined ? undefined : context.traceDigits,
    isDebug: context.isDebug,
    baggage: context.baggage,
  };
  const formats = new Set(inject.map((format) => (format === 'preserve' ? preserved : format)));
  return injectTrace(outgoing, [...formats], toUpstream);
};

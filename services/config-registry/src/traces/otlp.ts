import { z } from 'zod';

/** Something that happened in a span, such as a plugin's turn. */
export interface SpanEvent {
  readonly name: string;
  /** Unix µs. */
  readonly atUs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** One step of a request, by one process. */
export interface TracedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: the trace begins here. */
  readonly parentId: string | undefined;
  readonly service: string;
  readonly name: string;
  /** Unix µs. */
  readonly fromUs: number;
  readonly us: number;
  /** A short word, such as `timeout`; undefined: it did not fail. */
  readonly failure: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly events: readonly SpanEvent[];
  /** Traces of others that this span worked for, too. */
  readonly links: readonly string[];
}

const MAX_TEXT_CHARS = 256;
const MAX_ATTRIBUTES = 24;
const MAX_EVENTS = 64;
const MAX_LINKS = 16;
const STATUS_ERROR = 2;

/** A piece of a long text is copied: otherwise the whole of it would be kept alive for as long as its trace. */
const shortened = (given: string): string =>
  given.length <= MAX_TEXT_CHARS ? given : Buffer.from(given.slice(0, MAX_TEXT_CHARS)).toString();
const text = z.string().transform(shortened);
const hex = (chars: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${chars}}$`))
    .toLowerCase();
/** Nanoseconds as JSON has them: 64 bits as text; some senders write a number. */
const nanos = z.union([z.string().regex(/^\d{1,20}$/), z.number().nonnegative()]);
/** Lists and maps are left out. */
const attribute = z.object({
  key: text,
  value: z.object({
    stringValue: text.optional(),
    intValue: z.union([z.string(), z.number()]).optional(),
    doubleValue: z.number().optional(),
    boolValue: z.boolean().optional(),
  }),
});
const span = z.object({
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: z.union([z.literal(''), hex(16)]).optional(),
  name: text,
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes: z.array(attribute).default([]),
  events: z
    .array(z.object({ name: text, timeUnixNano: nanos, attributes: z.array(attribute).default([]) }))
    .default([]),
  links: z.array(z.object({ traceId: hex(32) })).default([]),
  status: z.object({ code: z.union([z.int(), z.string()]).optional(), message: text.optional() }).optional(),
});
const ExportRequest = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes: z.array(attribute).default([]) }).optional(),
        scopeSpans: z.array(z.object({ spans: z.array(span).default([]) })).default([]),
      }),
    )
    .default([]),
});

type Attribute = z.output<typeof attribute>;

/**
 * The spans of an `ExportTraceServiceRequest` in OTLP's JSON form.
 * @throws z.ZodError naming the field that is not as OTLP has it.
 */
export const spansIn = (message: unknown): TracedSpan[] =>
  ExportRequest.parse(message).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const named = attributesOf(resource?.attributes ?? [])['service.name'];
    const service = typeof named === 'string' ? named : 'unknown';
    return scopeSpans.flatMap(({ spans }) => spans.map((one) => tracedOf(one, service)));
  });

const tracedOf = (one: z.output<typeof span>, service: string): TracedSpan => {
  const { traceId, spanId, parentSpanId, name, status } = one;
  const fromUs = microsOf(one.startTimeUnixNano);
  const isFailed = status?.code === STATUS_ERROR || status?.code === 'STATUS_CODE_ERROR';
  return {
    ...{ traceId, spanId, parentId: parentSpanId || undefined, service, name },
    ...{ fromUs, us: Math.max(0, microsOf(one.endTimeUnixNano) - fromUs) },
    failure: isFailed ? status?.message || 'error' : undefined,
    attributes: attributesOf(one.attributes.slice(0, MAX_ATTRIBUTES)),
    events: one.events.slice(0, MAX_EVENTS).map((event) => ({
      ...{ name: event.name, atUs: microsOf(event.timeUnixNano) },
      attributes: attributesOf(event.attributes.slice(0, MAX_ATTRIBUTES)),
    })),
    links: [...new Set(one.links.map((link) => link.traceId))]
      .filter((linked) => linked !== traceId)
      .slice(0, MAX_LINKS),
  };
};

const NANOS_IN_MICRO = 1000n;

const microsOf = (given: string | number): number =>
  typeof given === 'number' ? Math.round(given / 1000) : Number(BigInt(given) / NANOS_IN_MICRO);

const attributesOf = (given: readonly Attribute[]): TracedSpan['attributes'] =>
  Object.fromEntries(
    given.flatMap(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => {
      const value = stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue;
      const known = value ?? boolValue;
      return known === undefined ? [] : [[key, known]];
    }),
  );

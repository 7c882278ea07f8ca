import type { SpanEvent, TracedSpan } from './otlp.ts';

/** Traces that are remembered, and spans of each: both are whatever somebody sends, so both have a bound. */
const MAX_TRACES = 1000;
const MAX_SPANS = 256;
/** Their texts in characters, those of one trace and of all: a span alone may have hundreds of thousands. */
const MAX_TRACE_CHARS = 1024 * 1024;
const MAX_CHARS = 64 * MAX_TRACE_CHARS;
/** What a span costs beside its texts, about. */
const SPAN_CHARS = 256;

interface Trace {
  readonly spans: Map<string, TracedSpan>;
  chars: number;
  leftOut: number;
}

/** One trace in a list. */
export interface TraceSummary {
  readonly traceId: string;
  /** Of the span that the others stand in, as far as it is known. */
  readonly name: string;
  readonly service: string;
  /** Unix ms. */
  readonly at: number;
  readonly us: number;
  readonly spans: number;
  readonly isFailed: boolean;
}

/** One bar of a waterfall: children stand below their parent, one deeper, in the order they began. */
export interface Bar {
  readonly depth: number;
  readonly service: string;
  readonly name: string;
  /** From the trace's first moment. Processes on several hosts have several clocks. */
  readonly fromUs: number;
  readonly us: number;
  readonly failure?: string;
  readonly attributes: TracedSpan['attributes'];
  /** At times from the trace's first moment, as the bar is. */
  readonly events: readonly SpanEvent[];
  readonly links: readonly string[];
}

export interface Waterfall extends TraceSummary {
  /** Spans that came beyond the bound. */
  readonly leftOut: number;
  readonly bars: readonly Bar[];
}

/** The last 1,000 traces, in the order in which they were first heard of; fewer where they are large. */
export class TraceStore {
  readonly #traces = new Map<string, Trace>();
  #chars = 0;

  /** Traces it holds. */
  get size(): number {
    return this.#traces.size;
  }

  keep(spans: readonly TracedSpan[]): void {
    for (const span of spans) {
      const trace = this.#traces.get(span.traceId) ?? this.#open(span.traceId);
      this.#add(trace, span);
    }
    while (this.#chars > MAX_CHARS && this.#traces.size > 1) this.#forgetOldest();
  }

  #add(trace: Trace, span: TracedSpan): void {
    const before = trace.spans.get(span.spanId);
    const more = charsOf(span) - (before === undefined ? 0 : charsOf(before));
    const isOneMore = before === undefined && trace.spans.size === MAX_SPANS;
    if (isOneMore || trace.chars + more > MAX_TRACE_CHARS) {
      trace.leftOut += 1;
      return;
    }
    trace.spans.set(span.spanId, span);
    trace.chars += more;
    this.#chars += more;
  }

  #forgetOldest(): void {
    const [oldest] = this.#traces;
    if (oldest === undefined) return;
    this.#traces.delete(oldest[0]);
    this.#chars -= oldest[1].chars;
  }

  #open(traceId: string): Trace {
    const trace = { spans: new Map(), chars: 0, leftOut: 0 };
    this.#traces.set(traceId, trace);
    if (this.#traces.size > MAX_TRACES) this.#forgetOldest();
    return trace;
  }

  /** The newest first. `service`: only those that one of its spans is in. */
  newest(limit: number, service?: string): TraceSummary[] {
    const found: TraceSummary[] = [];
    for (const [traceId, { spans }] of [...this.#traces].reverse()) {
      if (found.length === limit) break;
      if (service === undefined || spans.values().some((span) => span.service === service))
        found.push(summaryOf(traceId, [...spans.values()]));
    }
    return found;
  }

  /** A trace as it is shown; undefined when it is not remembered. */
  find(traceId: string): Waterfall | undefined {
    const trace = this.#traces.get(traceId);
    if (trace === undefined) return undefined;
    const spans = [...trace.spans.values()];
    return { ...summaryOf(traceId, spans), leftOut: trace.leftOut, bars: barsOf(spans) };
  }
}

const charsIn = (attributes: TracedSpan['attributes']): number =>
  Object.entries(attributes).reduce((sum, [name, value]) => sum + name.length + `${value}`.length, 0);

const charsOf = ({ service, name, attributes, events, links }: TracedSpan): number =>
  events.reduce((sum, event) => sum + event.name.length + charsIn(event.attributes), SPAN_CHARS) +
  charsIn(attributes) +
  links.reduce((sum, link) => sum + link.length, service.length + name.length);

const earliest = (a: TracedSpan, b: TracedSpan): number => a.fromUs - b.fromUs;

/** Those whose parent is not here: the first span of a trace, and of whoever's parent is still to come. */
const rootsOf = (spans: readonly TracedSpan[]): TracedSpan[] => {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentId }) => parentId === undefined || !ids.has(parentId)).sort(earliest);
};

const summaryOf = (traceId: string, spans: readonly TracedSpan[]): TraceSummary => {
  const [root] = rootsOf(spans);
  const fromUs = Math.min(...spans.map((span) => span.fromUs));
  return {
    ...{ traceId, name: root?.name ?? '', service: root?.service ?? '' },
    at: Math.round(fromUs / 1000),
    us: Math.max(...spans.map((span) => span.fromUs + span.us)) - fromUs,
    spans: spans.length,
    isFailed: spans.some(({ failure }) => failure !== undefined),
  };
};

const barsOf = (spans: readonly TracedSpan[]): Bar[] => {
  const zeroUs = Math.min(...spans.map(({ fromUs }) => fromUs));
  const childrenOf = Map.groupBy(spans, ({ parentId }) => parentId);
  const bars: Bar[] = [];
  const shown = new Set<string>();
  const add = (span: TracedSpan, depth: number): void => {
    if (shown.has(span.spanId)) return; // its own ancestor: somebody sent nonsense
    shown.add(span.spanId);
    const { service, name, us, failure, attributes, links } = span;
    const fromUs = span.fromUs - zeroUs;
    bars.push({
      depth,
      service,
      name,
      fromUs,
      us,
      ...(failure === undefined ? {} : { failure }),
      attributes,
      events: span.events.map((event) => ({ ...event, atUs: event.atUs - zeroUs })),
      links,
    });
    for (const child of (childrenOf.get(span.spanId) ?? []).sort(earliest)) add(child, depth + 1);
  };
  for (const root of rootsOf(spans)) add(root, 0);
  return bars;
};

import {
  type Attributes,
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { checkTelemetryEnvironment, tracesAreWanted } from './telemetry-environment.ts';

export { SpanKind } from '@opentelemetry/api';

export interface Telemetry {
  /** False: no exporter is set, nothing is recorded and the SDK was not even loaded. */
  readonly enabled: boolean;
  /** Share of the traces that begin here which are recorded, 0 to 1, where the starter chooses them; else 1. */
  readonly rootShare: number;
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  /** Name of this process among those of its service: `service.instance.id` of everything it tells. */
  readonly instance?: string;
  /** Tests: record in memory instead of exporting. */
  readonly processors?: NodeSDKConfiguration['spanProcessors'];
  /**
   * The caller draws for each trace that begins here, by `rootShare`, and starts spans of those alone: a span that turns
   * out not to be recorded costs as much as one that is.
   */
  readonly choosesRoots?: boolean;
}

const OFF: Telemetry = { enabled: false, rootShare: 0, shutdown: () => Promise.resolve() };

/**
 * Starts OpenTelemetry by the standard `OTEL_*` variables. Without an endpoint or exporter nothing starts.
 * The SDK is loaded only when it is used: it costs 100 ms and 38 MB.
 * @throws SettingsError when a variable asks for what there is not.
 */
export const startTelemetry = async (
  service: string,
  env: NodeJS.ProcessEnv,
  { instance, processors, choosesRoots = false }: TelemetryOptions = {},
): Promise<Telemetry> => {
  if (processors === undefined && !tracesAreWanted(env)) return OFF;
  checkTelemetryEnvironment(env);
  if (instance !== undefined) nameInstance(env, instance);
  const [{ NodeSDK }, { AlwaysOnSampler, ParentBasedSampler }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/sdk-trace'),
  ]);
  const rootShare = choosesRoots ? rootShareIn(env) : undefined;
  const sdk = new NodeSDK({
    serviceName: env.OTEL_SERVICE_NAME ?? service,
    metricReaders: [], // metrics are Prometheus's matter
    logRecordProcessors: [],
    instrumentations: [], // the spans are made by hand: patching every module doubles a request's cost
    ...(processors === undefined ? {} : { spanProcessors: processors }),
    ...(rootShare === undefined ? {} : { sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }) }),
  });
  sdk.start();
  return { enabled: true, rootShare: rootShare ?? 1, shutdown: () => sdk.shutdown().catch(() => undefined) };
};

/** Adds the instance to what the SDK reads of its environment, unless that names one. */
const nameInstance = (env: NodeJS.ProcessEnv, instance: string): void => {
  const { OTEL_RESOURCE_ATTRIBUTES: given = '' } = env;
  if (/(?:^|,)\s*service\.instance\.id\s*=/.test(given)) return;
  const own = `service.instance.id=${encodeURIComponent(instance)}`;
  env.OTEL_RESOURCE_ATTRIBUTES = given === '' ? own : `${given},${own}`;
};

/** What a sampler that goes by the parent does with a trace that has none; undefined for every other sampler. */
const rootShareIn = ({
  OTEL_TRACES_SAMPLER: sampler = 'parentbased_always_on',
  OTEL_TRACES_SAMPLER_ARG: argument = '1',
}: NodeJS.ProcessEnv): number | undefined => {
  if (sampler === 'parentbased_always_on') return 1;
  if (sampler === 'parentbased_always_off') return 0;
  const ratio = Number(argument);
  return sampler === 'parentbased_traceidratio' && ratio >= 0 && ratio <= 1 ? ratio : undefined;
};

const tracer = trace.getTracer('sluice');
/** Of a version that is not known yet the part that every version begins with is read (section 4.3). */
const TRACEPARENT = /^(?!ff|00.{53}-)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-[!-~]*)?$/;

/** W3C Trace Context section 3.2. Undefined for anything malformed or all zero. */
export const parseTraceparent = (
  header: string | undefined,
): { traceId: string; spanId: string; sampled: boolean } | undefined => {
  const found = header === undefined ? null : TRACEPARENT.exec(header);
  if (found === null) return undefined;
  const [, traceId = '', spanId = '', flags = ''] = found;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
};

export const formatTraceparent = (traceId: string, spanId: string, sampled: boolean): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/** The traceparent that makes `span` the parent of what comes next. */
export const traceparentOf = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return formatTraceparent(traceId, spanId, (traceFlags & TraceFlags.SAMPLED) === 1);
};

/** A context whose parent span is the remote one named by the header. */
export const contextFrom = (header: string | undefined): Context => {
  const parent = parseTraceparent(header);
  if (parent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
};

export interface SpanOptions {
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  /** Header of the remote parent; absent: the current span. */
  readonly traceparent?: string | undefined;
  /** Headers of spans elsewhere that belong to it, too. */
  readonly links?: readonly string[];
}

const linksOf = (traceparents: readonly string[]): Link[] =>
  traceparents.flatMap((header) => {
    const linked = trace.getSpanContext(contextFrom(header));
    return linked === undefined ? [] : [{ context: linked }];
  });

const startIn = (parent: Context, name: string, { kind, attributes, links = [] }: SpanOptions): Span =>
  tracer.startSpan(name, { kind, attributes, links: linksOf(links) }, parent);

/** Starts a span that the caller ends. */
export const startSpan = (name: string, options: SpanOptions): Span =>
  startIn(parentOf(options), name, options);

const parentOf = ({ traceparent }: SpanOptions): Context =>
  traceparent === undefined ? context.active() : contextFrom(traceparent);

/** Marks a span failed. `reason` becomes `error.type`; it must be a short code, never text with data in it. */
export const failSpan = (span: Span, reason: string): void => {
  span.setAttribute('error.type', reason);
  span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
};

/** Runs `work` inside a span, which is the current one for everything it starts, and ends it afterwards. */
export const withSpan = async <T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> => {
  const parent = parentOf(options);
  const span = startIn(parent, name, options);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    failSpan(span, error instanceof Error ? error.name : 'unknown');
    throw error;
  } finally {
    span.end();
  }
};

/** True when what runs now belongs to a recorded trace: a span is worth its cost only then. */
export const isTraced = (): boolean => trace.getActiveSpan()?.isRecording() === true;

/** Attributes of the messaging conventions for one NATS subject. */
export const messagingAttributes = (
  operation: 'request' | 'process' | 'publish' | 'ack',
  subject: string,
): Attributes => ({
  'messaging.system': 'nats',
  'messaging.operation.name': operation,
  'messaging.operation.type': operation === 'process' ? 'process' : operation === 'ack' ? 'settle' : 'send',
  'messaging.destination.name': subject,
});

export const CLIENT = SpanKind.CLIENT;
export const CONSUMER = SpanKind.CONSUMER;
export const SERVER = SpanKind.SERVER;

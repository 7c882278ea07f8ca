export { byPriority, catalogOf, pluginCatalog } from './catalog.ts';
export type { Exchange, HeaderList, Identity, UpstreamAnswer } from './exchange.ts';
export {
  ANONYMOUS_CONSUMER,
  CONSUMER_CUSTOM_ID,
  CONSUMER_ID,
  CONSUMER_USERNAME,
  CREDENTIAL_IDENTIFIER,
  isIdentityHeader,
  REQUEST_ID,
  TENANT_ID,
  tenantOf,
} from './headers.ts';
export type { JwtConfig } from './jwt-config.ts';
export { compileHeaderRegex, compilePathRegex, compileSearchRegex, type RouteRegex } from './linear-regex.ts';
export type { LogRecord, LogSink, QueueSettings, SinkEntry, SinkSender } from './log-sink.ts';
export { isJsonType } from './openapi-document.ts';
export {
  definePlugin,
  MAX_ANSWER_BYTES,
  type Plugin,
  type PluginScope,
  type Step,
  type WarningContext,
} from './plugin.ts';
export { type FolderProblem, PluginFolder } from './plugin-folder.ts';
export type { AuthVerdict, BudgetVerdict, Credential, Ports, StoredAnswer } from './ports.ts';
export type { PrometheusConfig } from './prometheus.ts';
export { type Finding as PromptFinding, type Sensitivity, scan } from './prompt-guard/scan.ts';
export { parseArgs } from './query-args.ts';
export type { QuotaMirrorConfig } from './quota-mirror.ts';
export type { RateLimitingConfig } from './rate-limiting-config.ts';
export type { RequestTransformerConfig } from './request-transformer-config.ts';
export {
  SHADOW_SKIPS,
  type ShadowCopy,
  type ShadowPort,
  type ShadowSkip,
  type ShadowTerms,
} from './shadow-terms.ts';
export { TRACE_FORMATS, type TraceContext } from './trace-context.ts';
export { extractTrace } from './trace-extract.ts';
export {
  type HandlerRun,
  INSTRUMENTS,
  type Instrument,
  type TargetAttempt,
  type Timeline,
} from './trace-timeline.ts';
export { answerWith, GatewayError } from './user-api.ts';
export { mediaTypeOf } from './validation-body.ts';

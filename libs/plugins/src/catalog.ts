import { acl } from './acl.ts';
import { aiPromptGuard } from './ai-prompt-guard.ts';
import { basicAuth } from './basic-auth.ts';
import { botDetection } from './bot-detection.ts';
import { correlationId, requestId } from './correlation-id.ts';
import { cors } from './cors.ts';
import { fileLog } from './file-log.ts';
import { hmacAuth } from './hmac-auth.ts';
import { httpLog } from './http-log.ts';
import { ipRestriction } from './ip-restriction.ts';
import { jwt } from './jwt.ts';
import { keyAuth } from './key-auth.ts';
import { oidc } from './oidc.ts';
import { opentelemetry } from './opentelemetry.ts';
import type { Plugin } from './plugin.ts';
import { prometheus } from './prometheus.ts';
import { promptGuard } from './prompt-guard.ts';
import { proxyCache } from './proxy-cache.ts';
import { quotaMirror } from './quota-mirror.ts';
import { rateLimiting } from './rate-limiting.ts';
import { requestSizeLimiting } from './request-size-limiting.ts';
import { requestTermination } from './request-termination.ts';
import { requestTransformer } from './request-transformer.ts';
import { requestValidation } from './request-validation.ts';
import { responseRateLimiting } from './response-ratelimiting.ts';
import { responseTransformer } from './response-transformer.ts';
import { responseValidation } from './response-validation.ts';
import { shadow } from './shadow.ts';
import { tcpLog } from './tcp-log.ts';
import { tenantBinding } from './tenant-binding.ts';
import { udpLog } from './udp-log.ts';
import { zipkin } from './zipkin.ts';

const builtIn: readonly Plugin[] = [
  correlationId,
  requestId,
  cors,
  jwt,
  keyAuth,
  basicAuth,
  hmacAuth,
  oidc,
  ipRestriction,
  tenantBinding,
  acl,
  rateLimiting,
  quotaMirror,
  requestTransformer,
  requestValidation,
  responseValidation,
  responseTransformer,
  aiPromptGuard,
  promptGuard,
  botDetection,
  fileLog,
  httpLog,
  proxyCache,
  requestSizeLimiting,
  responseRateLimiting,
  tcpLog,
  udpLog,
  opentelemetry,
  zipkin,
  prometheus,
  requestTermination,
  shadow,
];

/** Kong's order of execution: higher priority first, ties by name, descending. */
export const byPriority = (a: Plugin, b: Plugin): number =>
  b.priority - a.priority || (a.name < b.name ? 1 : a.name > b.name ? -1 : 0);

/** A set of plugins by name, in the order in which they run. */
export const catalogOf = (plugins: readonly Plugin[]) => {
  const inOrder = [...plugins].sort(byPriority);
  const byName = new Map(inOrder.map((plugin) => [plugin.name, plugin]));
  return {
    get: (name: string): Plugin | undefined => byName.get(name),
    names: (): readonly string[] => [...byName.keys()],
    all: (): readonly Plugin[] => inOrder,
  };
};

/** The plugins that come with the gateway. */
export const pluginCatalog = catalogOf(builtIn);

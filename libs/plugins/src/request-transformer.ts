import { GatewayError } from '@sluice/contracts';
import { toPathPart } from './byte-string.ts';
import type { Exchange } from './exchange.ts';
import { headerFields } from './header-fields.ts';
import { definePlugin, type Step } from './plugin.ts';
import type { Ports } from './ports.ts';
import { argFields, formatArgs, parseArgs } from './query-args.ts';
import { requestTransformerConfig, requestTransformerWarnings } from './request-transformer-config.ts';
import { openScope, type Prepared, prepare } from './request-transformer-prepare.ts';
import { TemplateError, type TemplateScope } from './template.ts';
import { bodyKindOf, changeBody } from './transform-body.ts';
import { applyRules, type Rules } from './transform-rules.ts';

/** Longer request bodies pass unchanged: they would have to be held in memory. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;
const changeTarget = (exchange: Exchange, { uri, method }: Prepared, scope: TemplateScope): Step => {
  if (method !== null) exchange.upstreamMethod = method;
  if (uri === undefined) return undefined;
  const path = uri.render(scope, toPathPart);
  // A value of the request must not climb out of the path that the configuration wrote around it.
  if (path !== uri.source && DOT_SEGMENT.test(path)) return new GatewayError('GW_BAD_REQUEST');
  exchange.upstreamPath = path.startsWith('/') ? path : `/${path}`;
  return undefined;
};

const changeQuery = (exchange: Exchange, rules: Rules | undefined, scope: TemplateScope): void => {
  if (rules === undefined) return;
  const args = parseArgs(exchange.upstreamQuery);
  if (applyRules(argFields(args), rules, scope)) exchange.upstreamQuery = formatArgs(args);
};

const changeRequestBody = async (
  exchange: Exchange,
  { body: rules, movesForm }: Prepared,
  scope: TemplateScope,
  ports: Ports,
): Promise<void> => {
  const contentType = exchange.toUpstream.get('Content-Type') ?? '';
  const kind = bodyKindOf(contentType);
  if (kind === undefined || (rules === undefined && kind !== 'form')) return;
  const body = await exchange.readBody(MAX_BODY_BYTES);
  if (body === undefined) {
    ports.log('warn', 'request body too large to transform, sent unchanged', { maxBytes: MAX_BODY_BYTES });
    return;
  }
  if (movesForm && kind === 'form')
    exchange.upstreamQuery = [exchange.upstreamQuery, body.toString('latin1')].filter(Boolean).join('&');
  const changed = rules === undefined ? undefined : changeBody(body, contentType, rules, scope);
  if (changed !== undefined) exchange.replaceBody(changed);
};

/** Changes method, path, headers, query and body of the request for the upstream. */
export const requestTransformer = definePlugin({
  name: 'request-transformer',
  priority: 801,
  summary: 'Changes the request on its way to the upstream.',
  config: requestTransformerConfig,
  warnings: requestTransformerWarnings,
  prepare,
  access: (exchange, prepared, ports) => {
    try {
      return transform(exchange, prepared, ports);
    } catch (error) {
      return refusalOf(error);
    }
  },
});

const refusalOf = (error: unknown): GatewayError => {
  if (error instanceof TemplateError) return new GatewayError('GW_PLUGIN_FAILED', { cause: error });
  throw error;
};

const transform = (exchange: Exchange, prepared: Prepared, ports: Ports): Step | Promise<Step> => {
  const scope = openScope(exchange, prepared.reads);
  const refusal = changeTarget(exchange, prepared, scope);
  if (refusal !== undefined) return refusal;
  applyRules(headerFields(exchange.toUpstream, exchange.host), prepared.headers, scope);
  if (prepared.body === undefined && !prepared.movesForm) {
    changeQuery(exchange, prepared.query, scope);
    return undefined;
  }
  return changeRequestBody(exchange, prepared, scope, ports)
    .then(() => changeQuery(exchange, prepared.query, scope))
    .catch(refusalOf) as Promise<Step>;
};

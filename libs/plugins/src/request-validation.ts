import type { Exchange } from './exchange.ts';
import { definePlugin, type Step } from './plugin.ts';
import type { Ports } from './ports.ts';
import {
  type FindPlan,
  openRequestValidation,
  type RequestPlan,
  type RequestValidationConfig,
  requestValidationConfig,
  requestValidationWarnings,
} from './request-validation-config.ts';
import { isEncoded, judgeJson, mediaFor, mediaTypeOf } from './validation-body.ts';
import type { Problem, Texts } from './validation-parameters.ts';
import { type Found, refusalFor, report } from './validation-report.ts';
import { textsOf } from './validation-texts.ts';

/** Parameters are judged together, up to so many problems. */
const MAX_PROBLEMS = 20;

const NAME = 'request-validation';

const prepare = (config: RequestValidationConfig) => ({
  config,
  find: openRequestValidation(config).value as FindPlan,
});
type Prepared = ReturnType<typeof prepare>;

const judgeParameters = (
  exchange: Exchange,
  { parameters }: RequestPlan,
  pathParameters: Readonly<Record<string, string>>,
): Problem[] => {
  const problems: Problem[] = [];
  const texts = new Map<string, Texts>();
  for (const { place, judge } of parameters) {
    const known = texts.get(place) ?? textsOf(exchange, place, pathParameters);
    texts.set(place, known);
    problems.push(...(judge(known, true) ?? []));
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return problems.slice(0, MAX_PROBLEMS);
};

const announcesBody = ({ fromClient }: Exchange): boolean =>
  fromClient.has('transfer-encoding') || (fromClient.get('content-length') ?? '0') !== '0';

const missingBody = (problems: readonly Problem[]): Found => ({
  kind: 'mismatch',
  problems: [...problems, { in: 'body', path: '', message: 'is required', keyword: 'required' }],
});

const judgeBody = async (
  exchange: Exchange,
  body: NonNullable<RequestPlan['body']>,
  problems: readonly Problem[],
  maxBytes: number,
): Promise<Found | undefined> => {
  const type = mediaTypeOf(exchange.fromClient.get('content-type'));
  const media = mediaFor(body.media, type);
  if (media === undefined && !body.isOpen)
    return { kind: 'media type', given: type, allowed: body.media.map((one) => one.type) };
  if (media?.validate === undefined) return mismatch(problems); // it streams, untouched
  if (isEncoded(exchange.fromClient.get('content-encoding')))
    return { kind: 'content encoding', given: exchange.fromClient.get('content-encoding') ?? '' };
  const bytes = await exchange.readBody(maxBytes);
  if (bytes === undefined) return { kind: 'too large', maxBytes };
  if (bytes.length === 0) return body.isRequired ? missingBody(problems) : mismatch(problems);
  return mismatch([...problems, ...(judgeJson(bytes, media.validate) ?? [])]);
};

const mismatch = (problems: readonly Problem[]): Found | undefined =>
  problems.length === 0 ? undefined : { kind: 'mismatch', problems };

const judge = (
  exchange: Exchange,
  { config, find }: Prepared,
): Promise<Found | undefined> | Found | undefined => {
  const found = find(exchange.method, exchange.path);
  if (found === undefined) return undefined;
  if ('unknown' in found)
    return config.unknown_operations === 'pass' ? undefined : { kind: found.unknown, allowed: found.allowed };
  const { plan } = found;
  const pathParameters = config.openapi === null ? exchange.uriCaptures : found.pathParameters;
  const problems = judgeParameters(exchange, plan, pathParameters);
  if (plan.body === undefined) return mismatch(problems);
  if (announcesBody(exchange)) return judgeBody(exchange, plan.body, problems, config.max_body_bytes);
  return plan.body.isRequired ? missingBody(problems) : mismatch(problems);
};

const act = (
  exchange: Exchange,
  config: RequestValidationConfig,
  found: Found | undefined,
  ports: Ports,
): Step => {
  if (found === undefined) return undefined;
  report(exchange, ports, { plugin: NAME, mode: config.mode, found });
  if (config.mode === 'enforce') return refusalFor('GW_REQUEST_INVALID', found, exchange.id, config.details);
  exchange.toClient.set('X-Request-Validation', `shadow; ${found.kind}`);
  return undefined;
};

/** Requests that do not fit an OpenAPI document or JSON Schemas are refused before the upstream sees them. */
export const requestValidation = definePlugin({
  name: NAME,
  priority: 850,
  reads: { namedBy: ['headers_schema', 'openapi'] },
  summary: 'Refuses requests that do not fit an OpenAPI document or JSON Schemas.',
  config: requestValidationConfig,
  warnings: requestValidationWarnings,
  prepare,
  access: (exchange, prepared, ports) => {
    const { config } = prepared;
    if (config.mode === 'off') return undefined;
    const found = judge(exchange, prepared);
    if (found instanceof Promise) return found.then((one) => act(exchange, config, one, ports));
    return act(exchange, config, found, ports);
  },
});

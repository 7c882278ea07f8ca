import type { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import {
  between,
  checked,
  choice,
  type Finding,
  flag,
  integer,
  listOf,
  record,
  unset,
  WHOLE,
} from './fields.ts';
import type { SchemaDocument } from './json-schema.ts';
import { isJsonType, type Operation, type ResponseShape } from './openapi-document.ts';
import { pathMatcher } from './openapi-paths.ts';
import { definePlugin, MAX_ANSWER_BYTES } from './plugin.ts';
import type { Ports } from './ports.ts';
import { below, OPENAPI_FIELDS, VALIDATION_MODES } from './request-validation-config.ts';
import { isEncoded, judgeJson, type MediaCheck, mediaFor, mediaTypeOf } from './validation-body.ts';
import { checkOf, type ParameterCheck, type Problem } from './validation-parameters.ts';
import { type Found, refusalFor, report } from './validation-report.ts';
import { documentField, type Opened, openOpenApi, openSchema, rememberLast } from './validation-source.ts';
import { headerTexts } from './validation-texts.ts';

const NAME = 'response-validation';

const Config = record({
  mode: choice(VALIDATION_MODES)
    .default('enforce')
    .describe('enforce: 502 in its place; shadow: pass, count and log; off: look at nothing.'),
  ...OPENAPI_FIELDS,
  unknown_statuses: choice(['refuse', 'pass'])
    .default('pass')
    .describe('Responses with a status that their operation does not list.'),
  body_schema: unset(documentField()).describe('JSON Schema of the body, in the place of a document.'),
  statuses: listOf(integer().min(100).max(599))
    .default([])
    .describe('With body_schema: statuses whose bodies it judges; none listed: 200 to 299.'),
  max_body_bytes: between(1, MAX_ANSWER_BYTES)
    .default(1024 * 1024)
    .describe('A larger body that should be judged is a fault, in bytes.'),
  details: flag().default(false).describe('Tell the client what is wrong where. The log always says it.'),
});
type ResponseValidationConfig = z.output<typeof Config>;

interface ResponsePlan {
  readonly headers: readonly ParameterCheck[];
  readonly media: readonly MediaCheck[];
}
/** `unlisted`: the operation is known, the status is not. */
type FindPlan = (method: string, path: string, status: number) => ResponsePlan | 'unlisted' | undefined;

const planOf = (document: unknown, schemas: SchemaDocument, shape: ResponseShape): ResponsePlan => ({
  headers: shape.headers.map((header) => checkOf(document, schemas, header)),
  media: shape.media.map(({ type, schema }) => ({
    type,
    validate: schema === undefined ? undefined : schemas.compile(schema),
  })),
});

type Plans = ReadonlyMap<string, ResponsePlan>;
const planFor = (plans: Plans, status: number): ResponsePlan | undefined =>
  plans.get(`${status}`) ?? plans.get(`${Math.floor(status / 100)}XX`) ?? plans.get('default');

const pointersOf = ({ responses }: Operation): string[] =>
  [...responses.values()].flatMap(({ headers, media }) =>
    [...headers, ...media].flatMap(({ schema }) => schema ?? []),
  );

const openDocument = (config: ResponseValidationConfig): Opened<FindPlan> =>
  openOpenApi(
    'openapi',
    config.openapi ?? {},
    config.base_path !== null,
    ({ paths }) => [...paths.values()].flatMap((item) => [...item.values()].flatMap(pointersOf)),
    (document, api, schemas) => {
      const basePath = (config.base_path ?? api.basePath).replace(/\/$/, '');
      const plansOf = ({ responses }: Operation): Plans =>
        new Map([...responses].map(([status, shape]) => [status, planOf(document, schemas, shape)]));
      const all = new Map(
        [...api.paths].map(([path, item]) => [
          path,
          new Map([...item].map(([method, operation]) => [method, plansOf(operation)])),
        ]),
      );
      const match = pathMatcher([...all.keys()]);
      return (method, path, status) => {
        const inside = below(basePath, path);
        const found = inside === undefined ? undefined : match(inside);
        const plans = found && all.get(found.path)?.get(method);
        return plans && (planFor(plans, status) ?? 'unlisted');
      };
    },
  );

const JSON_TYPES = ['application/json', 'application/*+json'];

const openBody = ({ body_schema, statuses }: ResponseValidationConfig): Opened<FindPlan> =>
  openSchema('body_schema', body_schema ?? {}, (_, schemas) => {
    const validate = schemas.compile('');
    const plan = { headers: [], media: JSON_TYPES.map((type) => ({ type, validate })) };
    return (_method, _path, status) => {
      const isMeant = statuses.length > 0 ? statuses.includes(status) : status >= 200 && status < 300;
      return isMeant ? plan : undefined;
    };
  });

const open = rememberLast((config: ResponseValidationConfig) =>
  config.openapi === null ? openBody(config) : openDocument(config),
);

const findings = function* (config: ResponseValidationConfig): Generator<Finding> {
  if ((config.openapi === null) === (config.body_schema === null))
    yield { path: WHOLE, message: 'exactly one of these fields must be set: openapi, body_schema' };
  else yield* open(config).problems;
};

const prepare = (config: ResponseValidationConfig) => ({ config, find: open(config).value as FindPlan });
type Prepared = ReturnType<typeof prepare>;

/** What the response phase found out, for the body phase. */
interface Noted {
  readonly plan: ResponsePlan;
  readonly problems: readonly Problem[];
}

const note = (exchange: Exchange, { find }: Prepared): Noted | 'unlisted' | undefined => {
  const status = exchange.upstream?.status;
  const plan = status === undefined ? undefined : find(exchange.method, exchange.path, status);
  if (plan === undefined || plan === 'unlisted') return plan;
  const texts = headerTexts(exchange.toClient);
  return { plan, problems: plan.headers.flatMap(({ judge }) => judge(texts, true) ?? []) };
};

const isWithoutBody = ({ method, upstream }: Exchange): boolean =>
  method === 'HEAD' || upstream?.status === 204 || upstream?.status === 304;

/** The check of the body; `undefined`: it streams. */
const bodyCheck = ({ toClient }: Exchange, { media }: ResponsePlan): MediaCheck | undefined => {
  const type = mediaTypeOf(toClient.get('content-type'));
  const found = mediaFor(media, type);
  return found?.validate !== undefined && isJsonType(type) ? found : undefined;
};

const act = (
  exchange: Exchange,
  found: Found | undefined,
  config: ResponseValidationConfig,
  ports: Ports,
) => {
  if (found === undefined) return undefined;
  report(exchange, ports, { plugin: NAME, mode: config.mode, found });
  if (config.mode !== 'enforce') return undefined;
  return refusalFor('GW_RESPONSE_INVALID', found, exchange.id, config.details);
};

/** What can be said before the body: about the status, the headers and the media type. */
const judgeHead = (exchange: Exchange, noted: Noted | 'unlisted', config: ResponseValidationConfig) => {
  if (noted === 'unlisted')
    return config.unknown_statuses === 'pass' ? undefined : ({ kind: 'status', allowed: [] } as const);
  const { plan, problems } = noted;
  if (problems.length > 0) return { kind: 'mismatch', problems } as const;
  const given = mediaTypeOf(exchange.toClient.get('content-type'));
  if (isWithoutBody(exchange) || plan.media.length === 0 || given === '') return undefined;
  return mediaFor(plan.media, given) === undefined && config.openapi !== null
    ? ({ kind: 'media type', given, allowed: plan.media.map(({ type }) => type) } as const)
    : undefined;
};

const judgeBody = (
  exchange: Exchange,
  { plan }: Noted,
  body: Buffer,
  maxBytes: number,
): Found | undefined => {
  const encoding = exchange.toClient.get('content-encoding');
  if (isEncoded(encoding)) return { kind: 'content encoding', given: encoding ?? '' };
  if (body.length > maxBytes) return { kind: 'too large', maxBytes };
  const validate = bodyCheck(exchange, plan)?.validate;
  const problems = validate && judgeJson(body, validate);
  return problems && { kind: 'mismatch', problems };
};

/** Answers of the upstream that do not fit an OpenAPI document or a JSON Schema do not reach the client. */
export const responseValidation = definePlugin({
  name: NAME,
  priority: 790,
  reads: {},
  summary: 'Keeps back responses that do not fit an OpenAPI document or a JSON Schema.',
  config: checked(Config, findings),
  warnings: (config) =>
    open(config).warnings.map(({ path, message }) => `config.${path.join('.')}: ${message}`),
  prepare,
  access: ({ toUpstream }, { config }) => {
    // A packed body cannot be judged, so that none is asked for.
    if (config.mode !== 'off' && toUpstream.has('accept-encoding'))
      toUpstream.set('Accept-Encoding', 'identity');
    return undefined;
  },
  response: (exchange, prepared) => {
    if (prepared.config.mode === 'off') return;
    const noted = note(exchange, prepared);
    if (noted !== undefined) exchange.memo.set(NAME, noted);
  },
  inspect: (exchange, { config }, ports) => {
    const noted = exchange.memo.get(NAME) as Noted | 'unlisted' | undefined;
    if (noted === undefined) return undefined;
    const found = judgeHead(exchange, noted, config);
    if (found !== undefined) exchange.memo.delete(NAME);
    return act(exchange, found, config, ports);
  },
  wantsBody: (exchange) => {
    const noted = exchange.memo.get(NAME) as Noted | 'unlisted' | undefined;
    if (exchange.upstream === undefined || noted === undefined || noted === 'unlisted') return false;
    return !isWithoutBody(exchange) && bodyCheck(exchange, noted.plan) !== undefined;
  },
  body: (exchange, { config }, body, ports): Buffer | GatewayError | undefined => {
    const noted = exchange.memo.get(NAME) as Noted;
    return act(exchange, judgeBody(exchange, noted, body, config.max_body_bytes), config, ports);
  },
  oversize: (exchange, { config }, ports) =>
    act(exchange, { kind: 'too large', maxBytes: config.max_body_bytes }, config, ports),
});

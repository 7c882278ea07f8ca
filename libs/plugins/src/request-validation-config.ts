import type { z } from 'zod';
import {
  between,
  checked,
  choice,
  type Finding,
  flag,
  httpPath,
  listOf,
  record,
  text,
  unset,
  WHOLE,
} from './fields.ts';
import type { SchemaDocument } from './json-schema.ts';
import type { Operation } from './openapi-document.ts';
import { pathMatcher } from './openapi-paths.ts';
import type { MediaCheck } from './validation-body.ts';
import { checkOf, checkOfAll, type ParameterCheck } from './validation-parameters.ts';
import {
  documentField,
  type Opened,
  openOpenApi,
  openSchema,
  rememberLast,
  type SourceProblem,
} from './validation-source.ts';

/** Largest body that can be held back, in bytes. */
export const MAX_HELD_BYTES = 8 * 1024 * 1024;

/** What a validating plugin does with what it finds. */
export const VALIDATION_MODES = ['enforce', 'shadow', 'off'] as const;

/** Where the OpenAPI document of a validating plugin is. */
export const OPENAPI_FIELDS = {
  openapi: unset(documentField()).describe('OpenAPI 3.1 document: an object, or its JSON as text.'),
  base_path: unset(httpPath()).describe(
    'What stands before the paths of the document; unset: the path of its first server.',
  ),
};

const PARAMETER_FIELDS = { query_schema: 'query', path_schema: 'path', headers_schema: 'header' } as const;
const SCHEMA_FIELDS = ['body_schema', 'query_schema', 'path_schema', 'headers_schema'] as const;

const Config = record({
  mode: choice(VALIDATION_MODES)
    .default('enforce')
    .describe('enforce: refuse; shadow: pass, count and say so in a header; off: look at nothing.'),
  ...OPENAPI_FIELDS,
  unknown_operations: choice(['refuse', 'pass'])
    .default('refuse')
    .describe('Requests whose path or method is not in the document.'),
  body_schema: unset(documentField()).describe('JSON Schema of the body.'),
  query_schema: unset(documentField()).describe('JSON Schema of an object of the query’s arguments.'),
  path_schema: unset(documentField()).describe('JSON Schema of an object of the route’s named captures.'),
  headers_schema: unset(documentField()).describe('JSON Schema of an object of the headers, in lower case.'),
  body_required: flag().default(true).describe('With body_schema: POST, PUT and PATCH need a body.'),
  content_types: listOf(text())
    .default(['application/json', 'application/*+json'])
    .describe('With body_schema: media types of bodies that it judges.'),
  other_content_types: choice(['refuse', 'pass'])
    .default('refuse')
    .describe('Bodies of other media types: 415, or passed on as they come.'),
  max_body_bytes: between(1, MAX_HELD_BYTES)
    .default(1024 * 1024)
    .describe('Larger bodies are refused where a body is judged, in bytes.'),
  details: flag().default(true).describe('Tell the client what is wrong where.'),
});
export type RequestValidationConfig = z.output<typeof Config>;

/** What is known of one operation, ready to judge requests. */
export interface RequestPlan {
  readonly parameters: readonly ParameterCheck[];
  readonly body:
    | {
        readonly isRequired: boolean;
        readonly media: readonly MediaCheck[];
        /** Media types that are not listed pass. */
        readonly isOpen: boolean;
      }
    | undefined;
}

/** Which plan is for a request. */
export type FindPlan = (
  method: string,
  path: string,
) =>
  | { readonly plan: RequestPlan; readonly pathParameters: Readonly<Record<string, string>> }
  | { readonly unknown: 'path' | 'method'; readonly allowed: readonly string[] }
  | undefined;

const pointersOf = ({ parameters, body }: Operation): string[] =>
  [...parameters, ...(body?.media ?? [])].flatMap(({ schema }) => schema ?? []);

const planOf = (
  document: unknown,
  schemas: SchemaDocument,
  { parameters, body }: Operation,
  isOpen: boolean,
): RequestPlan => ({
  parameters: parameters.map((parameter) => checkOf(document, schemas, parameter)),
  body: body && {
    isRequired: body.isRequired,
    media: body.media.map(({ type, schema }) => ({
      type,
      validate: schema === undefined ? undefined : schemas.compile(schema),
    })),
    isOpen,
  },
});

/** Removes a base path; undefined where the path does not stand below it. */
export const below = (basePath: string, path: string): string | undefined => {
  if (basePath === '' || basePath === '/') return path;
  if (!path.startsWith(basePath)) return undefined;
  const rest = path.slice(basePath.length);
  return rest === '' ? '/' : rest.startsWith('/') ? rest : undefined;
};

const openDocument = (config: RequestValidationConfig): Opened<FindPlan> =>
  openOpenApi(
    'openapi',
    config.openapi ?? {},
    config.base_path !== null,
    ({ paths }) => [...paths.values()].flatMap((item) => [...item.values()].flatMap(pointersOf)),
    (document, api, schemas) => {
      const isOpen = config.other_content_types === 'pass';
      const basePath = (config.base_path ?? api.basePath).replace(/\/$/, '');
      const plans = new Map(
        [...api.paths].map(([path, item]) => [
          path,
          new Map([...item].map(([method, one]) => [method, planOf(document, schemas, one, isOpen)])),
        ]),
      );
      const match = pathMatcher([...plans.keys()]);
      return (method, path) => {
        const inside = below(basePath, path);
        const found = inside === undefined ? undefined : match(inside);
        if (found === undefined) return { unknown: 'path', allowed: [] };
        const item = plans.get(found.path);
        const plan = item?.get(method) ?? (method === 'HEAD' ? item?.get('GET') : undefined);
        if (plan === undefined) return { unknown: 'method', allowed: [...(item?.keys() ?? [])] };
        return { plan, pathParameters: found.parameters };
      };
    },
  );

const BODY_METHODS = ['POST', 'PUT', 'PATCH'];

const openFields = (config: RequestValidationConfig): Opened<FindPlan> => {
  const problems: SourceProblem[] = [];
  const warnings: SourceProblem[] = [];
  const take = <T>(opened: Opened<T>): T[] => {
    problems.push(...opened.problems);
    warnings.push(...opened.warnings);
    return opened.value === undefined ? [] : [opened.value];
  };
  const parameters = Object.entries(PARAMETER_FIELDS).flatMap(([field, place]) => {
    const source = config[field as keyof typeof PARAMETER_FIELDS];
    if (source === null) return [];
    return take(
      openSchema(field, source, (document, schemas) => checkOfAll(document, schemas.compile(''), place)),
    );
  });
  const [validate] =
    config.body_schema === null
      ? []
      : take(openSchema('body_schema', config.body_schema, (_, schemas) => schemas.compile('')));
  const body = (isRequired: boolean): RequestPlan['body'] =>
    validate && {
      isRequired,
      media: config.content_types.map((type) => ({ type: type.trim().toLowerCase(), validate })),
      isOpen: config.other_content_types === 'pass',
    };
  const withBody = { parameters, body: body(config.body_required) };
  const without = { parameters, body: body(false) };
  const find: FindPlan = (method) => ({
    plan: BODY_METHODS.includes(method) ? withBody : without,
    pathParameters: {},
  });
  return { value: problems.length > 0 ? undefined : find, problems, warnings };
};

/** The compiled form of a configuration, with its problems. */
export const openRequestValidation = rememberLast(
  (config: RequestValidationConfig): Opened<FindPlan> =>
    config.openapi === null ? openFields(config) : openDocument(config),
);

const findings = function* (config: RequestValidationConfig): Generator<Finding> {
  const own = SCHEMA_FIELDS.filter((field) => config[field] !== null);
  if (config.openapi === null && own.length === 0)
    yield {
      path: WHOLE,
      message: `at least one of these fields must be set: openapi, ${SCHEMA_FIELDS.join(', ')}`,
    };
  else if (config.openapi !== null && own.length > 0)
    yield { path: [own[0] ?? ''], message: 'cannot be set beside openapi, which describes all of it' };
  else yield* openRequestValidation(config).problems;
};

/** The schema of the plugin's configuration. */
export const requestValidationConfig = checked(Config, findings);

/** Places in which the documents say more than is checked. */
export const requestValidationWarnings = (config: RequestValidationConfig): string[] =>
  openRequestValidation(config).warnings.map(({ path, message }) => `config.${path.join('.')}: ${message}`);

import { type ErrorObject, Ajv2020 as JsonSchema, type Options } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { isObject, pointerStep, valueAt } from './json-pointer.ts';
import { FORMATS, FORMATS_UNCHECKED } from './json-schema-keywords.ts';
import { type SchemaProblem, surveySchemas } from './json-schema-survey.ts';
import { compileSearchRegex } from './linear-regex.ts';

/** One reason why a value does not fit; `path` is a JSON pointer into the value. */
export interface Mismatch {
  readonly path: string;
  readonly message: string;
  /** The keyword of JSON Schema that refused it. */
  readonly keyword: string;
}

/** Judges a value; nothing: it fits. `all`: every mismatch up to `MAX_MISMATCHES`, else the first. */
export type Validate = (value: unknown, all: boolean) => readonly Mismatch[] | undefined;

/** Mismatches that are told of one value. */
export const MAX_MISMATCHES = 20;

/** A longer text has no format: the expressions of formats have not been proved linear. */
const MAX_FORMAT_CHARS = 2048;
const MAX_MESSAGE_CHARS = 300;

const regExp = Object.assign((pattern: string) => compileSearchRegex(pattern), { code: 'linear' });

const OPTIONS: Options = {
  strict: false, // the survey says what is unknown; documents of OpenAPI are full of it
  meta: false,
  validateSchema: false, // done once, by `metaProblems`
  logger: false,
  ownProperties: true,
  unicodeRegExp: false,
  addUsedSchema: false,
  code: { regExp },
};

/** The same text for values that JSON Schema takes for equal. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );

// Ajv compares every element with every other one; this is one pass.
const areUnique = (isAsked: boolean, list: readonly unknown[]): boolean => {
  if (!isAsked) return true;
  const seen = new Set<unknown>();
  for (const item of list)
    seen.add(typeof item === 'object' || typeof item === 'string' ? canonical(item) : item);
  return seen.size === list.length;
};

type Format = ReturnType<typeof formats.default.get>;

const isTooLong = (value: unknown): boolean => typeof value === 'string' && value.length > MAX_FORMAT_CHARS;

const bounded = (format: Format): Format => {
  if (typeof format === 'boolean' || typeof format === 'string') return format;
  const check = (typeof format === 'object' && 'validate' in format ? format.validate : format) as
    | RegExp
    | ((value: unknown) => boolean);
  const validate = (value: unknown): boolean =>
    !isTooLong(value) && (check instanceof RegExp ? check.test(String(value)) : check(value));
  const isNumber = typeof format === 'object' && 'type' in format && format.type === 'number';
  return isNumber ? { type: 'number', validate } : { validate };
};

const engine = (all: boolean): JsonSchema => {
  const ajv = new JsonSchema({ ...OPTIONS, allErrors: all });
  for (const name of FORMATS) ajv.addFormat(name, bounded(formats.default.get(name)));
  for (const name of FORMATS_UNCHECKED) ajv.addFormat(name, true);
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: areUnique,
    error: { message: 'must NOT have duplicate items' },
  });
  return ajv;
};

let meta: JsonSchema | undefined;
/** What is wrong with a schema as such. Compiling the meta-schema is costly, so that it is done once. */
const metaProblems = (schema: unknown, at: string): SchemaProblem[] => {
  meta ??= new JsonSchema({ strict: false, logger: false, validateFormats: false });
  if (typeof schema === 'boolean' || meta.validateSchema(withoutScope(schema)) === true) return [];
  const [error] = meta.errors ?? [];
  return [{ at: at + (error?.instancePath ?? ''), message: error?.message ?? 'is no schema' }];
};

const shortened = (text: string): string =>
  text.length <= MAX_MESSAGE_CHARS ? text : `${text.slice(0, MAX_MESSAGE_CHARS)}…`;

/** Ajv's message, with what it leaves to `params`. Never the value: it may be a secret. */
const messageOf = ({ keyword, message = 'is not valid', params }: ErrorObject): string => {
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties')
    return `${message}: '${String(params.additionalProperty ?? params.unevaluatedProperty)}'`;
  if (keyword === 'enum') return `${message}: ${JSON.stringify(params.allowedValues)}`;
  if (keyword === 'const') return `${message}: ${JSON.stringify(params.allowedValue)}`;
  return message;
};

// A text that is looked for in a schema says more than the number of the branch it was looked for in.
const mismatchOf = (error: ErrorObject): Mismatch => ({
  path: shortened(
    error.keyword === 'required'
      ? error.instancePath + pointerStep(error.params.missingProperty as string)
      : error.instancePath,
  ),
  message: error.keyword === 'required' ? 'is required' : shortened(messageOf(error)),
  keyword: error.keyword,
});

/** Schemas of one document that passed the survey; they compile once each. */
export interface SchemaDocument {
  /** The checker of the schema at a pointer, one of those that were surveyed. */
  readonly compile: (pointer: string) => Validate;
  readonly warnings: readonly SchemaProblem[];
}

/** Opens a document whose schemas stand at these pointers; the problems, where it cannot be used. */
export const openSchemas = (
  document: unknown,
  pointers: readonly string[],
): SchemaDocument | { readonly problems: readonly SchemaProblem[] } => {
  const survey = surveySchemas(document, pointers);
  if (survey.problems.length > 0) return { problems: survey.problems };
  const problems = survey.entries.flatMap((at) => metaProblems(valueAt(document, at), at));
  if (problems.length > 0) return { problems };
  const first = engine(false);
  const every = engine(true);
  for (const ajv of [first, every]) ajv.addSchema(withoutScope(document), 'document');
  const compile = (pointer: string): Validate => {
    const $ref = `document#${pointer.split('/').map(encodeURIComponent).join('/')}`;
    const isValid = first.compile({ $ref });
    const all = every.compile({ $ref });
    return (value, wantsAll) => {
      if (isValid(value) === true) return undefined;
      if (wantsAll) void all(value);
      return ((wantsAll ? all : isValid).errors ?? []).slice(0, MAX_MISMATCHES).map(mismatchOf);
    };
  };
  return { compile, warnings: survey.warnings };
};

/** Names of its own would move the base of the references. */
const withoutScope = (document: unknown): object => {
  if (!isObject(document)) return { document };
  const { $id: _, $schema: __, ...rest } = document;
  return rest;
};

import { z } from 'zod';
import { text } from './fields.ts';
import { isObject, stepsOf } from './json-pointer.ts';
import { doubtIn } from './json-scan.ts';
import { openSchemas, type SchemaDocument } from './json-schema.ts';
import type { SchemaProblem } from './json-schema-survey.ts';
import { type OpenApi, readOpenApi } from './openapi-document.ts';

/** A document in a configuration: an object as it is, or its JSON as text. */
export type Source = string | Readonly<Record<string, unknown>>;

/** A field for a document: an object, or JSON as text. */
export const documentField = () =>
  z.union([text(), z.record(z.string(), z.unknown())], {
    error: 'expected a record, or its JSON as a string',
  });

/** Longest document, in characters of JSON. */
const MAX_SOURCE_CHARS = 4 * 1024 * 1024;
const MAX_DOCUMENT_DEPTH = 200;

/** A problem of a document, in the field that holds it. */
export interface SourceProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** A document that can be used, or what is wrong with it. */
type Read = { readonly document: unknown } | { readonly message: string };

const readSource = (source: Source): Read => {
  const json = typeof source === 'string' ? source : JSON.stringify(source);
  if (json.length > MAX_SOURCE_CHARS) return { message: `longer than ${MAX_SOURCE_CHARS} characters` };
  try {
    const document: unknown = JSON.parse(json);
    const doubt = doubtIn(json, MAX_DOCUMENT_DEPTH);
    if (doubt?.kind === 'depth') return { message: `nested deeper than ${MAX_DOCUMENT_DEPTH} levels` };
    if (doubt !== undefined) return { message: `has the name '${doubt.name}' twice in one object` };
    return isObject(document) ? { document } : { message: 'must be a JSON object' };
  } catch (error) {
    return { message: `is no JSON: ${(error as Error).message}` };
  }
};

/** Within a text there is no field to point at, so that the message says where. */
const placed =
  (field: string, source: Source) =>
  ({ at, message }: SchemaProblem): SourceProblem =>
    typeof source === 'string'
      ? { path: [field], message: at === '' ? message : `at ${at}: ${message}` }
      : { path: [field, ...stepsOf(at)], message };

/** A field's document, opened. */
export interface Opened<T> {
  readonly value: T | undefined;
  readonly problems: readonly SourceProblem[];
  /** Places in which the document says more than is checked. */
  readonly warnings: readonly SourceProblem[];
}

const refused = <T>(problems: readonly SourceProblem[]): Opened<T> => ({
  value: undefined,
  problems,
  warnings: [],
});

/** What is compiled from a document; a schema that cannot be compiled is a problem of its field. */
const compiled = <T>(field: string, warnings: readonly SourceProblem[], compile: () => T): Opened<T> => {
  try {
    return { value: compile(), problems: [], warnings };
  } catch (error) {
    return refused([{ path: [field], message: (error as Error).message }]);
  }
};

/** Opens one JSON Schema. */
export const openSchema = <T>(
  field: string,
  source: Source,
  compile: (document: unknown, schemas: SchemaDocument) => T,
): Opened<T> => {
  const read = readSource(source);
  if ('message' in read) return refused([{ path: [field], message: read.message }]);
  const schemas = openSchemas(read.document, ['']);
  const place = placed(field, source);
  if ('problems' in schemas) return refused(schemas.problems.map(place));
  return compiled(field, schemas.warnings.map(place), () => compile(read.document, schemas));
};

/** Opens an OpenAPI document; `pointers` says which of its schemas are needed. */
export const openOpenApi = <T>(
  field: string,
  source: Source,
  hasBasePath: boolean,
  pointers: (api: OpenApi) => readonly string[],
  compile: (document: unknown, api: OpenApi, schemas: SchemaDocument) => T,
): Opened<T> => {
  const read = readSource(source);
  if ('message' in read) return refused([{ path: [field], message: read.message }]);
  const api = readOpenApi(read.document, hasBasePath);
  const place = placed(field, source);
  if (api.problems.length > 0) return refused(api.problems.map(place));
  const schemas = openSchemas(read.document, pointers(api));
  if ('problems' in schemas) return refused(schemas.problems.map(place));
  const warnings = [...api.warnings, ...schemas.warnings].map(place);
  return compiled(field, warnings, () => compile(read.document, api, schemas));
};

const KEPT = 8;

/**
 * Remembers what the last few configurations became: one is checked, asked for warnings and prepared, one after
 * the other, and compiles only once.
 */
export const rememberLast = <K extends object, V>(compile: (config: K) => V): ((config: K) => V) => {
  const known = new Map<string, V>();
  return (config) => {
    const key = JSON.stringify(config);
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = compile(config);
    known.set(key, made);
    const [oldest] = known.keys();
    if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
    return made;
  };
};

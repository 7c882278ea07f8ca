import { z } from 'zod';
import type { Role } from '../admin-access/admin-tokens.ts';

export type Json = Readonly<Record<string, unknown>>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What one method of one path does, as the document tells it; what holds for all of them is added there. */
export interface Operation {
  readonly tag: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  /** Beside those of the path. */
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  /** By status. */
  readonly responses: Readonly<Record<string, Json>>;
  /** Absent: what the guard asks for; `none`: it is open. */
  readonly role?: Role | 'none';
}

/** By method and path as it is registered: `GET /sluice/keys/:id`. */
export type Operations = Readonly<Record<string, Operation>>;

/** A reference into the components of the document. */
export const componentOf = (section: string, name: string): Json => ({
  $ref: `#/components/${section}/${name}`,
});
export const schemaRef = (name: string): Json => componentOf('schemas', name);
export const responseRef = (name: string): Json => componentOf('responses', name);

/** An answer in JSON. */
export const answer = (description: string, schema: Json, example?: unknown): Json => ({
  description,
  content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
});

/** An answer without a body. */
export const empty = (description: string): Json => ({ description });

/** An answer that is text of some type. */
export const text = (description: string, type: string, example?: string): Json => ({
  description,
  content: { [type]: { schema: { type: 'string' }, ...(example === undefined ? {} : { example }) } },
});

/** A body in JSON. */
export const jsonBody = (schema: Json, example?: unknown): Json => ({
  required: true,
  content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
});

const BOUNDS_OF_SAFE = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
/** What zod says about every schema, and says nothing by it. */
const SAYS_NOTHING: ReadonlySet<string> = new Set(['$schema', '$id']);

/** What it calls a format beside the pattern that says the same. */
const ZODS_OWN_FORMATS: ReadonlySet<unknown> = new Set(['starts_with', 'ends_with', 'includes']);

/** A schema of zod's as it may stand in the document. */
export const cleaned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(cleaned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, inside]) =>
          !SAYS_NOTHING.has(key) &&
          !BOUNDS_OF_SAFE.has(inside as number) &&
          !(key === 'format' && ZODS_OWN_FORMATS.has(inside)),
      )
      .map(([key, inside]) => [key, cleaned(inside)]),
  );
};

/** What a sender may write: fields with a default may be missing. */
export const jsonSchemaOf = (schema: z.ZodType): Json =>
  cleaned(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })) as Json;

/** One parameter of the query. */
export const queryParameter = (name: string, schema: Json, description: string): Json => ({
  name,
  in: 'query',
  description,
  schema,
});

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

/** The parameters that a schema reads from the query. */
export const queryOf = (schema: z.ZodObject): Json[] => {
  const { properties = {}, required = [] } = jsonSchemaOf(schema) as ObjectSchema;
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    ...{ name, in: 'query' },
    ...(required.includes(name) && !Object.hasOwn(rest, 'default') ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
};

/** Who changes something, and why. */
export const AUTHOR = ['author', 'message'].map((name) => componentOf('parameters', name));
/** The same, and what they looked at before. */
export const CHANGE = [...AUTHOR, componentOf('parameters', 'expectedGeneration')];

/** An answer in our own form, by the name of its schema. */
export const told = (description: string, name: string, example?: unknown): Json =>
  answer(description, schemaRef(name), example);
/** An error in our own form, with what it means there. */
export const error = (description: string): Json => answer(description, schemaRef('Error'));
export const INVALID = { 400: responseRef('Invalid') };
export const AWAY = { 503: error('What has to be asked or written to cannot be reached now.') };

import { isObject, localPointer, pointerStep, valueAt } from './json-pointer.ts';
import type { Mismatch, SchemaDocument, Validate } from './json-schema.ts';
import type { Parameter, Place } from './openapi-document.ts';

/** One problem of a message: where, and what. */
export interface Problem extends Mismatch {
  readonly in: Place | 'body' | 'path' | 'media type';
}

/** The texts of one kind of parameter, by name. */
export type Texts = ReadonlyMap<string, readonly string[]>;

/** Texts become what a schema speaks of: numbers, booleans, lists. What is none stays text, and fails there. */
type Coerce = (values: readonly string[]) => unknown;

const MAX_REFS = 32;

const typesAt = (document: unknown, pointer: string): readonly unknown[] => {
  let at = pointer;
  for (let refs = 0; refs <= MAX_REFS; refs++) {
    const schema = valueAt(document, at);
    if (!isObject(schema)) return [];
    if (schema.type !== undefined) return [schema.type].flat();
    const to = typeof schema.$ref === 'string' ? localPointer(schema.$ref) : undefined;
    if (to === undefined) return [];
    at = to;
  }
  return [];
};

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const one = (types: readonly unknown[], text: string): unknown => {
  if ((types.includes('integer') || types.includes('number')) && NUMBER.test(text)) return Number(text);
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  return text;
};

const itemsAt = (document: unknown, pointer: string): string => {
  const schema = valueAt(document, pointer);
  const to = isObject(schema) && typeof schema.$ref === 'string' ? localPointer(schema.$ref) : undefined;
  return to === undefined ? `${pointer}/items` : itemsAt(document, to);
};

/** How the texts of the parameter with the schema at a pointer are read. */
export const coercionAt = (document: unknown, pointer: string, isExploded: boolean): Coerce => {
  const types = typesAt(document, pointer);
  if (!types.includes('array'))
    return (values) => (values.length === 1 ? one(types, values[0] ?? '') : [...values]);
  const itemTypes = typesAt(document, itemsAt(document, pointer));
  return (values) => {
    const items = isExploded
      ? values
      : values.flatMap((value) => value.split(',').map((item) => item.trim()));
    return items.map((item) => one(itemTypes, item));
  };
};

/** Judges one parameter, found by its name among the texts of its place. */
export type ParameterCheck = {
  readonly place: Place;
  readonly judge: (texts: Texts, all: boolean) => readonly Problem[] | undefined;
};

/** Compiles the check of one parameter of an operation. */
export const checkOf = (document: unknown, schemas: SchemaDocument, parameter: Parameter): ParameterCheck => {
  const { place, name, isRequired, isExploded, schema } = parameter;
  const path = pointerStep(name);
  const validate = schema === undefined ? undefined : schemas.compile(schema);
  const coerce = schema === undefined ? undefined : coercionAt(document, schema, isExploded);
  const missing = isRequired ? [{ in: place, path, message: 'is required', keyword: 'required' }] : undefined;
  return {
    place,
    judge: (texts, all) => {
      const values = texts.get(name);
      if (values === undefined) return missing;
      const mismatches = coerce && validate?.(coerce(values), all);
      return mismatches?.map((mismatch) => ({ ...mismatch, in: place, path: path + mismatch.path }));
    },
  };
};

/** Compiles the check of all parameters of one place, by a schema for the object they make up. */
export const checkOfAll = (document: unknown, validate: Validate, place: Place): ParameterCheck => {
  const properties = valueAt(document, '/properties');
  const names = isObject(properties) ? Object.keys(properties) : [];
  const coercions = new Map(
    names.map((name) => [name, coercionAt(document, `/properties${pointerStep(name)}`, true)]),
  );
  const anyText: Coerce = (values) => (values.length === 1 ? values[0] : [...values]);
  return {
    place,
    judge: (texts, all) => {
      const given = Object.create(null) as Record<string, unknown>;
      for (const [name, values] of texts) given[name] = (coercions.get(name) ?? anyText)(values);
      return validate(given, all)?.map((mismatch) => ({ ...mismatch, in: place }));
    },
  };
};

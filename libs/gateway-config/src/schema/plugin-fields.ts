/*
 * A plugin's zod schema as the field lists that everything else here reads: `GET /schemas/plugins/…`, the typing
 * of forms, the merge of a PATCH. Checking stays with zod itself; this is only a description.
 */
import type { z } from 'zod';
import type { Field, Fields } from './field.ts';

/** The parts of zod's definitions that are read here. */
interface Definition {
  readonly type?: string;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly keyType?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly values?: readonly unknown[];
  readonly defaultValue?: unknown;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
}
interface Check {
  readonly check?: string;
  readonly value?: unknown;
  readonly minimum?: number;
  readonly inclusive?: boolean;
  readonly format?: string;
}

/** A field that was replaced by another one and is still accepted. */
export interface Shorthand {
  readonly field: Field;
  /** Where its value lives now. */
  readonly replacedBy: readonly string[];
}

/** What a plugin's `config` may hold. */
export interface PluginFields {
  readonly fields: Fields;
  readonly shorthands: Readonly<Record<string, Shorthand>>;
}

const definitionOf = (schema: z.core.$ZodType): Definition => schema._zod.def as unknown as Definition;

/** What stands around the type itself. */
interface Wrapping {
  readonly inner: z.core.$ZodType;
  readonly isNullable: boolean;
  /** The key itself may be missing in a checked configuration: accepted, not part of it. */
  readonly isOptional: boolean;
  /** Undefined: there is none. */
  readonly fallback: unknown;
  /** Missing means empty, and the fields inside have their defaults. */
  readonly isPrefault: boolean;
}

const unwrap = (schema: z.core.$ZodType): Wrapping => {
  const { type, innerType, in: input, defaultValue } = definitionOf(schema);
  const inside = innerType ?? input;
  if (inside === undefined)
    return { inner: schema, isNullable: false, isOptional: false, fallback: undefined, isPrefault: false };
  const wrapping = unwrap(inside);
  if (type === 'nullable') return { ...wrapping, isNullable: true };
  if (type === 'optional') return { ...wrapping, isOptional: true };
  if (type === 'default') return { ...wrapping, isOptional: false, fallback: defaultValue };
  return type === 'prefault' ? { ...wrapping, isPrefault: true } : wrapping;
};

const checksOf = ({ checks = [] }: Definition): readonly Check[] => checks.map((check) => check._zod.def);

type Bounds = { readonly between: readonly [number, number] } | { readonly greaterThan: number } | object;

const numberRules = (definition: Definition): Bounds => {
  const checks = checksOf(definition);
  const low = checks.find(({ check }) => check === 'greater_than');
  const high = checks.find(({ check }) => check === 'less_than');
  if (typeof low?.value !== 'number') return {};
  if (low.inclusive && high?.inclusive && typeof high.value === 'number')
    return { between: [low.value, high.value] };
  return low.inclusive ? {} : { greaterThan: low.value };
};

const isInteger = (definition: Definition): boolean =>
  (definition as Check).format === 'safeint' ||
  checksOf(definition).some(({ format }) => format === 'safeint');

const lengthRule = (definition: Definition): { readonly lengthMin?: number } => {
  const minimum = checksOf(definition).find(({ check }) => check === 'min_length')?.minimum;
  return minimum === undefined ? {} : { lengthMin: minimum };
};

const listField = (definition: Definition, element: z.core.$ZodType): Field => ({
  // Only sets rewrite what they got: repetitions are dropped.
  type: checksOf(definition).some(({ check }) => check === 'overwrite') ? 'set' : 'array',
  elements: typeOf(unwrap(element).inner),
  ...lengthRule(definition),
});

const typeOf = (schema: z.core.$ZodType): Field => {
  const definition = definitionOf(schema);
  const { type, shape, element, keyType, valueType, entries, values } = definition;
  if (shape !== undefined) return { type: 'record', fields: fieldsOf(shape) };
  if (element !== undefined) return listField(definition, element);
  if (valueType !== undefined)
    return {
      type: 'map',
      ...(keyType ? { keys: typeOf(keyType) } : {}),
      values: typeOf(unwrap(valueType).inner),
    };
  const oneOf = entries === undefined ? values : Object.values(entries);
  if (oneOf !== undefined) return choiceField(oneOf);
  if (type === 'string') return { type, ...lengthRule(definition) };
  if (type === 'boolean') return { type };
  if (type === 'number')
    return { type: isInteger(definition) ? 'integer' : 'number', ...numberRules(definition) } as Field;
  return { type: 'any' };
};

const choiceField = (values: readonly unknown[]): Field => {
  const isNumbers = values.every((value) => typeof value === 'number');
  return { type: isNumbers ? 'number' : 'string', oneOf: values as (string | number)[] };
};

const fieldOf = (schema: z.core.$ZodType): Field => {
  const { inner, isNullable, isOptional, fallback, isPrefault } = unwrap(schema);
  const field = typeOf(inner);
  const isRequired = !isNullable && !isOptional && (fallback !== null || isPrefault);
  return {
    ...field,
    ...(isRequired ? { required: true } : {}),
    ...(fallback === undefined || fallback === null ? {} : { default: fallback }),
  };
};

/** Keys that a checked configuration may lack are no fields: old names, or accepted without an effect. */
const fieldsOf = (shape: Readonly<Record<string, z.core.$ZodType>>): Fields =>
  Object.fromEntries(
    Object.entries(shape).flatMap(([name, schema]) =>
      unwrap(schema).isOptional ? [] : [[name, fieldOf(schema)]],
    ),
  );

/** Plugins say it in the field's description. */
const REPLACED = /^Deprecated; write ([a-z0-9_.]+)\.$/;

const shorthandsOf = (shape: Readonly<Record<string, z.core.$ZodType>>): Record<string, Shorthand> => {
  const shorthands: Record<string, Shorthand> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const { description = '' } = schema as { description?: string };
    const place = REPLACED.exec(description)?.[1];
    if (place !== undefined)
      shorthands[name] = { field: typeOf(unwrap(schema).inner), replacedBy: place.split('.') };
  }
  return shorthands;
};

const known = new WeakMap<z.core.$ZodType, PluginFields>();

/** The fields of a plugin's configuration schema. */
export const pluginFields = (config: z.core.$ZodType): PluginFields => {
  const before = known.get(config);
  if (before !== undefined) return before;
  const shape = definitionOf(unwrap(config).inner).shape ?? {};
  const found = { fields: fieldsOf(shape), shorthands: shorthandsOf(shape) };
  known.set(config, found);
  return found;
};

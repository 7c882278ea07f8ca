import type { z } from 'zod';

/** The parts of zod's definitions that are read here. */
interface Definition {
  readonly type?: string;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly format?: string;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
}
interface Check {
  readonly check?: string;
  readonly value?: unknown;
  readonly inclusive?: boolean;
  readonly format?: string;
}

const definitionOf = (schema: z.core.$ZodType): Definition => schema._zod.def as unknown as Definition;

/** The schema without optional, nullable, default and transformations. */
const unwrap = (schema: z.core.$ZodType): z.core.$ZodType => {
  const { innerType, in: input } = definitionOf(schema);
  const inside = innerType ?? input;
  return inside === undefined ? schema : unwrap(inside);
};

/** The schema of the value at a path; undefined where the way leads through a union or an unknown key. */
const schemaAt = (root: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | undefined => {
  let schema: z.core.$ZodType | undefined = unwrap(root);
  for (const step of path) {
    const { shape, element, valueType } = definitionOf(schema);
    const next: z.core.$ZodType | undefined =
      shape === undefined
        ? (element ?? valueType)
        : Object.hasOwn(shape, step)
          ? shape[String(step)]
          : undefined;
    if (next === undefined) return undefined;
    schema = unwrap(next);
  }
  return schema;
};

/** The names a strict object knows. */
export const keysAt = (root: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] => {
  const schema = schemaAt(root, path);
  return schema === undefined ? [] : Object.keys(definitionOf(schema).shape ?? {});
};

/** True where the schema takes whole numbers only. */
export const isInteger = (root: z.core.$ZodType, path: readonly PropertyKey[]): boolean => {
  const schema = schemaAt(root, path);
  if (schema === undefined) return false;
  const { format, checks = [] } = definitionOf(schema);
  return format === 'safeint' || checks.some((check) => check._zod.def.format === 'safeint');
};

/** Both inclusive bounds of a number, if the schema has both. */
export const boundsAt = (
  root: z.core.$ZodType,
  path: readonly PropertyKey[],
): readonly [low: number, high: number] | undefined => {
  const schema = schemaAt(root, path);
  if (schema === undefined) return undefined;
  const inclusive = (definitionOf(schema).checks ?? [])
    .map((check) => check._zod.def)
    .filter((def) => def.inclusive);
  const low = inclusive.find((def) => def.check === 'greater_than')?.value;
  const high = inclusive.find((def) => def.check === 'less_than')?.value;
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined;
};

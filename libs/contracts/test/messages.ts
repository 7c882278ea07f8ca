import { z } from 'zod';
import { contracts } from '../src/index.ts';

/** One example of one message of one contract. */
export interface Message {
  readonly title: string;
  readonly schema: z.ZodType;
  readonly payload: unknown;
}

/** Every example of every contract, requests and replies apart. */
export const messages: readonly Message[] = contracts.flatMap((contract) =>
  contract.kind === 'event'
    ? contract.examples.map(({ name, payload }) => ({
        title: `${contract.subject}: ${name}`,
        schema: contract.payload,
        payload,
      }))
    : contract.examples.flatMap(({ name, request, reply }) => [
        { title: `${contract.subject} request: ${name}`, schema: contract.request, payload: request },
        { title: `${contract.subject} reply: ${name}`, schema: contract.reply, payload: reply },
      ]),
);

export const onTheWire = (payload: unknown): unknown => JSON.parse(JSON.stringify(payload));

type Path = readonly (string | number)[];
type Field = Record<string, unknown>;

/** The paths of all objects in a message, its own empty path first. */
export const objectPaths = (value: unknown, path: Path = []): Path[] => {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.entries(value).flatMap(([key, item]) =>
    objectPaths(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return Array.isArray(value) ? inside : [path, ...inside];
};

/** A copy of a message in which `change` altered the object at `path`. */
export const changed = (message: unknown, path: Path, change: (object: Field) => void): unknown => {
  const copy = structuredClone(message);
  change(path.reduce<Field>((object, key) => object[key] as Field, copy as Field));
  return copy;
};

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** The fields of a message that its schema wants, each with the path of its object. */
export const requiredFields = (schema: z.ZodType, message: unknown) =>
  requiredIn(z.toJSONSchema(schema, { io: 'input' }) as Schema, message, []);

const requiredIn = (schema: Schema, value: unknown, path: Path): { path: Path; field: string }[] => {
  if (value === null || typeof value !== 'object') return [];
  const branch = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].find((option) => fits(option, value));
  if (branch !== undefined) return requiredIn(branch, value, path);
  if (Array.isArray(value))
    return value.flatMap((item, i) => requiredIn(schema.items ?? {}, item, [...path, i]));
  const own = (schema.required ?? []).map((field) => ({ path, field }));
  const inside = Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    requiredIn(property, (value as Field)[key], [...path, key]),
  );
  return [...own, ...inside];
};

const fits = ({ properties, required = [] }: Schema, value: object): boolean =>
  properties !== undefined && required.every((field) => field in value);

/** The paths an error names, those inside its unions included. */
export const namedPaths = (
  issues: readonly z.core.$ZodIssue[],
  path: readonly PropertyKey[] = [],
): string[] =>
  issues.flatMap((issue) => {
    const here = [...path, ...issue.path];
    const branches = issue.code === 'invalid_union' ? issue.errors : [];
    return [here.join('.'), ...branches.flatMap((branch) => namedPaths(branch, here))];
  });

import type { Kind } from '@sluice/contracts';
import { type Finding, isSecretField, luaLiteral } from '@sluice/gateway-config';
import { schemaViolation } from './schema-violation.ts';

/** Why an entity was not written: the answer Kong gives (kong-compat 5.3). */
export interface EntityProblem {
  readonly status: number;
  readonly body: {
    readonly code?: number;
    readonly name?: string;
    readonly message: string;
    readonly fields?: Readonly<Record<string, unknown>>;
  };
}

type Values = Readonly<Record<string, unknown>>;

/** As Lua writes it; what is not set reads `null`, and a secret is not quoted. */
const literalOf = (kind: Kind, values: Values): string => {
  const parts = Object.keys(values)
    .sort()
    .map((field) => {
      const value = values[field] ?? null;
      const shown = value !== null && isSecretField(kind, field) ? '[redacted]' : value;
      return `${field}=${shown === null ? 'null' : luaLiteral(shown)}`;
    });
  return `{${parts.join(',')}}`;
};

const shownFields = (kind: Kind, values: Values): Values =>
  Object.fromEntries(
    Object.entries(values).map(([field, value]) => [
      field,
      isSecretField(kind, field) ? '[redacted]' : value,
    ]),
  );

/** Code 1. */
export const invalidKey = (key: string): EntityProblem => ({
  status: 400,
  body: {
    code: 1,
    name: 'invalid primary key',
    message: `invalid primary key: '${luaLiteral({ id: key })}'`,
    fields: { id: 'expected a valid UUID' },
  },
});

/** Code 2. */
export const schemaProblem = (findings: readonly Finding[]): EntityProblem => ({
  status: 400,
  body: schemaViolation(findings),
});

/** Code 3. */
export const takenId = (id: string): EntityProblem => ({
  status: 400,
  body: {
    code: 3,
    name: 'primary key violation',
    message: `primary key violation on key '${luaLiteral({ id })}'`,
    fields: { id },
  },
});

const FOREIGN = { code: 4, name: 'foreign key violation' } as const;

/** Code 4, of an entity that others need. */
export const stillReferenced = (parent: Kind, child: Kind): EntityProblem => ({
  status: 400,
  body: {
    ...FOREIGN,
    message: `an existing '${child}' entity references this '${parent}' entity`,
    fields: { '@referenced_by': child },
  },
});

/** Code 4, of a reference to nothing. */
export const missingReference = (field: string, id: string, parent: Kind): EntityProblem => ({
  status: 400,
  body: {
    ...FOREIGN,
    message: `the foreign key '${luaLiteral({ id })}' does not reference an existing '${parent}' entity.`,
    fields: { [field]: { id } },
  },
});

/** Code 5. */
export const notUnique = (kind: Kind, values: Values): EntityProblem => ({
  status: 409,
  body: {
    code: 5,
    name: 'unique constraint violation',
    message: `UNIQUE violation detected on '${literalOf(kind, values)}'`,
    fields: shownFields(kind, values),
  },
});

/** Code 6. */
export const unknownEntity = (field: string, key: string): EntityProblem => ({
  status: 404,
  body: {
    code: 6,
    name: 'not found',
    message: `could not find the entity with primary key '${luaLiteral({ [field]: key })}'`,
    fields: { [field]: key },
  },
});

/** A reference by name to nothing. */
export interface Unresolved {
  readonly field: string;
  readonly key: string;
  readonly value: string;
  readonly parent: Kind;
}

/** Code 10: a path names an entity as none can be named. */
export const invalidName = (field: string, why: string): EntityProblem => ({
  status: 400,
  body: { code: 10, name: `invalid unique ${field}`, message: why, fields: { [field]: why } },
});

/** Code 13. */
export const unresolvedReferences = (all: readonly Unresolved[]): EntityProblem => {
  const texts: string[] = [];
  const fields: Record<string, Record<string, string>> = {};
  for (const { field, key, value, parent } of all) {
    const shown = luaLiteral({ [key]: value });
    const text = `the foreign key cannot be resolved with '${shown}' for an existing '${parent}' entity`;
    texts.push(`${field}.${key}: ${text}`);
    fields[field] = { [key]: text };
  }
  const heading = texts.length === 1 ? 'foreign key' : `${texts.length} foreign keys`;
  const message = `${heading} unresolved (${texts.join('; ')})`;
  return { status: 400, body: { code: 13, name: 'foreign keys unresolved', message, fields } };
};

/** Code 19. */
export const certificateInUse = (id: string, by: Kind, byId: string): EntityProblem => {
  const message = `ca certificate ${id} is still referenced by ${by} (id = ${byId})`;
  return { status: 400, body: { code: 19, name: 'referenced by others', message } };
};

export const NOT_FOUND: EntityProblem = { status: 404, body: { message: 'Not found' } };

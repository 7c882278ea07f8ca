import type { Kind } from '@sluice/contracts';
import { redactEntity } from './errors/redact.ts';
import { isRecord } from './path.ts';
import { ENTITY_SCHEMAS, requireSchema, schemaOf } from './schema/entities.ts';
import type { ConfigState } from './state.ts';
import { writeYaml } from './yaml/write-yaml.ts';

/** An entity as the Admin API shows it: without the fields that Kong's entity of that kind does not have. */
export const publicEntity = (kind: Kind, entity: object): Record<string, unknown> => {
  const schema = schemaOf(kind);
  if (schema === undefined) return { ...entity };
  const shown: Record<string, unknown> = {};
  const all = entity as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(schema.fields))
    if (all[name] !== undefined && schema.hidden?.includes(name) !== true) shown[name] = all[name];
  for (const name of Object.keys(entity)) if (!Object.hasOwn(schema.fields, name)) shown[name] = all[name];
  return shown;
};

/** The 201 body of `POST /config`: a map by id for every collection that is not empty. */
export const flattened = (state: ConfigState): Record<string, Record<string, unknown>> => {
  const body: Record<string, Record<string, unknown>> = {};
  for (const { kind } of ENTITY_SCHEMAS) {
    const entities = [...state.list(kind)].map((entity) => [entity.id, publicEntity(kind, entity)]);
    if (entities.length > 0) body[kind] = Object.fromEntries(entities);
  }
  return body;
};

/** The same as JSON, made of the texts the state has: with 10,000 routes a tenth of the work. */
export const flattenedText = (state: ConfigState): string => {
  const collections: string[] = [];
  for (const { kind, hidden = [] } of ENTITY_SCHEMAS) {
    const entities: string[] = [];
    for (const id of state.ids(kind)) {
      const text =
        hidden.length === 0
          ? state.textOf(kind, id)
          : JSON.stringify(publicEntity(kind, state.get(kind, id) ?? {}));
      entities.push(`${JSON.stringify(id)}:${text}`);
    }
    if (entities.length > 0) collections.push(`"${kind}":{${entities.join(',')}}`);
  }
  return `{${collections.join(',')}}`;
};

/**
 * The text of `GET /config`: flat, secrets as stored (`_transform: false`), references as ids. Loading it gives
 * the same state; unless its secrets are censored, for people to look at.
 */
export const toDeclarativeYaml = (state: ConfigState, { isCensored = false } = {}): string => {
  const document: Record<string, unknown> = { _format_version: '3.0', _transform: false };
  for (const { kind } of ENTITY_SCHEMAS) {
    const entities = [...state.list(kind)].map((entity) =>
      withPlainReferences(kind, publicEntity(kind, isCensored ? redactEntity(kind, { ...entity }) : entity)),
    );
    if (entities.length > 0) document[kind] = entities;
  }
  return writeYaml(document);
};

const withPlainReferences = (kind: Kind, entity: Record<string, unknown>): Record<string, unknown> => {
  const { fields } = requireSchema(kind);
  for (const [name, value] of Object.entries(entity))
    if (fields[name]?.type === 'foreign' && isRecord(value)) entity[name] = value.id;
  return entity;
};

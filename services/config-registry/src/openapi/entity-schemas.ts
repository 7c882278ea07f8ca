import { KINDS, type Kind } from '@sluice/contracts';
import { ENTITY_SCHEMAS, type EntitySchema, type Field, type Fields, schemaOf } from '@sluice/gateway-config';
import type { Plugin } from '@sluice/plugins';
import { type Json, jsonSchemaOf, schemaRef } from './operation.ts';

/** How a kind is called where one of it is meant: `key_sets` are `KeySet`s. */
export const nameOfOne = (kind: Kind): string =>
  kind
    .replace(/s$/, '')
    .split('_')
    .map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`)
    .join('');

/** An entity that is written (fields may be missing) or one that is answered (all stand there, unset ones null). */
type Side = 'written' | 'answered';

const rulesOf = ({ oneOf, between, greaterThan, lengthMin, uuid, default: fallback }: Field): Json => ({
  ...(oneOf === undefined ? {} : { enum: oneOf }),
  ...(between === undefined ? {} : { minimum: between[0], maximum: between[1] }),
  ...(greaterThan === undefined ? {} : { exclusiveMinimum: greaterThan }),
  ...(uuid ? { format: 'uuid' } : {}),
  ...(fallback === undefined ? {} : { default: fallback }),
  ...(lengthMin === undefined ? {} : { lengthMin }),
});

/** One field's schema; null is allowed where the entity need not have the field. */
const fieldSchema = (field: Field, side: Side): Json => {
  const { lengthMin, ...rules } = rulesOf(field) as { lengthMin?: number };
  const typed = (type: string, more: Json = {}): Json => {
    const isNullable = side === 'written' || !field.required;
    const { enum: allowed, ...others } = { ...rules, ...more } as { enum?: readonly unknown[] };
    return {
      type: isNullable ? [type, 'null'] : type,
      ...(allowed === undefined ? {} : { enum: isNullable ? [...allowed, null] : allowed }),
      ...others,
    };
  };
  switch (field.type) {
    case 'any':
      return {};
    case 'string':
      return typed('string', lengthMin === undefined || field.oneOf ? {} : { minLength: lengthMin });
    case 'array':
    case 'set':
      return typed('array', {
        items: fieldSchema({ ...field.elements, required: true }, 'answered'),
        ...(field.type === 'set' && side === 'answered' ? { uniqueItems: true } : {}),
        ...(lengthMin === undefined ? {} : { minItems: lengthMin }),
      });
    case 'map':
      return typed('object', {
        additionalProperties: fieldSchema({ ...field.values, required: true }, side),
      });
    case 'record':
      return typed('object', recordSchema(field.fields, side));
    case 'foreign':
      return typed('object', referenceSchema(field.reference, side));
    case 'boolean':
    case 'integer':
    case 'number':
      return typed(field.type);
  }
};

const recordSchema = (fields: Fields, side: Side): Json => ({
  properties: propertiesOf(fields, side),
  ...(side === 'answered' ? { required: Object.keys(fields) } : { additionalProperties: false }),
});

const propertiesOf = (fields: Fields, side: Side): Record<string, Json> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldSchema(field, side)]));

const referenceSchema = (kind: Kind, side: Side): Json => {
  const id = { type: 'string', format: 'uuid' };
  if (side === 'answered') return { properties: { id }, required: ['id'] };
  const key = schemaOf(kind)?.endpointKey;
  return {
    properties: { id, ...(key === undefined ? {} : { [key]: { type: 'string' } }) },
    maxProperties: 1,
  };
};

/** What the code adds to fields of the schema: Kong's shorthands, and a list that the answer shows. */
const MORE_WRITTEN: Partial<Record<Kind, Json>> = {
  services: {
    url: {
      type: 'string',
      description: 'Stands for protocol, host, port and path.',
      examples: ['http://a.test/v1'],
    },
  },
};
const NAMES_OF_CERTIFICATE: Json = {
  snis: { type: ['array', 'null'], items: { type: 'string' }, description: 'Names it is for.' },
};

const SHOWN_TIMES = { created_at: 'Unix time in s.', updated_at: 'Unix time in s.' };

const described = (properties: Record<string, Json>): Record<string, Json> => ({
  ...properties,
  ...Object.fromEntries(
    Object.entries(SHOWN_TIMES).flatMap(([name, description]) =>
      properties[name] === undefined ? [] : [[name, { description, type: ['number', 'null'] }]],
    ),
  ),
});

/** `Service`: an entity as answers show it. */
const answered = ({ kind, fields, hidden = [] }: EntitySchema): Json => {
  const shown = Object.fromEntries(Object.entries(fields).filter(([name]) => !hidden.includes(name)));
  const extra = kind === 'certificates' ? NAMES_OF_CERTIFICATE : {};
  const properties = { ...described(propertiesOf(shown, 'answered')), ...extra };
  properties.id = { type: 'string', format: 'uuid' };
  if (kind === 'plugins') properties.config = { type: 'object', description: 'By the plugin’s own schema.' };
  return {
    type: 'object',
    description: `${nameOfOne(kind)}: every field, unset ones null.`,
    properties,
    required: Object.keys(properties).filter((name) => !(kind === 'plugins' && name === 'mode')),
  };
};

/** `ServiceFields`: what may be written of an entity. */
const written = ({ kind, fields, loose = false }: EntitySchema): Json => {
  const extra = kind === 'certificates' ? NAMES_OF_CERTIFICATE : MORE_WRITTEN[kind];
  const properties = { ...described(propertiesOf(fields, 'written')), ...extra };
  if (kind === 'plugins') properties.config = { type: ['object', 'null'], default: {} };
  return {
    ...{ type: 'object', description: `What may be written of a ${nameOfOne(kind)}.`, properties },
    ...(loose ? {} : { additionalProperties: false }),
  };
};

/** What must be written to create one. What a path can name need not stand in the body. */
export const needed = (kind: Kind): Json => {
  if (kind === 'services') return { anyOf: [{ required: ['host'] }, { required: ['url'] }] };
  const required = Object.entries(schemaOf(kind)?.fields ?? {}).flatMap(([name, field]) =>
    field.required && field.default === undefined && !FILLED.has(field.type) ? [name] : [],
  );
  return required.length === 0 ? {} : { required };
};

/** Records are made of their fields' defaults; what is referred to may stand in the path. */
const FILLED: ReadonlySet<Field['type']> = new Set(['record', 'foreign']);

const configName = (plugin: string): string => `PluginConfig.${plugin}`;

/** A plugin is checked by the schema of its name. */
const byPlugin = (plugins: readonly Plugin[]): Json => ({
  allOf: plugins.map(({ name }) => ({
    if: { properties: { name: { const: name } }, required: ['name'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: { config: schemaRef(configName(name)) } },
  })),
});

/** The schemas of every kind, and of the config of every plugin. */
export const entitySchemas = (plugins: readonly Plugin[]): Record<string, Json> => ({
  ...Object.fromEntries(
    ENTITY_SCHEMAS.filter(({ kind }) => Object.hasOwn(KINDS, kind)).flatMap((schema) => {
      const name = nameOfOne(schema.kind);
      const fields = written(schema);
      const checked = schema.kind === 'plugins' ? { ...fields, ...byPlugin(plugins) } : fields;
      return [
        [name, answered(schema)],
        [`${name}Fields`, checked],
      ];
    }),
  ),
  ...Object.fromEntries(
    plugins.map(({ name, config, summary }) => [
      configName(name),
      { ...jsonSchemaOf(config), description: summary },
    ]),
  ),
});

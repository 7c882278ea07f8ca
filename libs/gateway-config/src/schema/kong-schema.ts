import type { Kind } from '@sluice/contracts';
import type { PluginCatalog, PluginRules } from '../catalog.ts';
import { requireSchema } from './entities.ts';
import type { EntitySchema } from './entity.ts';
import type { Field, Fields } from './field.ts';
import { type PluginFields, pluginFields } from './plugin-fields.ts';
import { HTTP_PROTOCOLS } from './typedefs.ts';

type Json = Readonly<Record<string, unknown>>;

/** A schema as `GET /schemas/…` answers it (kong-compat 5.4): every field is an object of one key in an array. */
export interface KongSchema {
  readonly entity_checks: readonly unknown[];
  readonly fields: readonly Json[];
  readonly shorthand_fields?: readonly Json[];
}

const TIMES = ['created_at', 'updated_at'];
const REMOVED_IN = '4.0';

const rulesOf = (field: Field): Json => {
  const { required, default: fallback, oneOf, between, greaterThan, lengthMin, uuid } = field;
  const hasLength = lengthMin !== undefined && field.type !== 'string';
  return {
    ...(required ? { required } : {}),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(oneOf === undefined ? {} : { one_of: oneOf }),
    ...(between === undefined ? {} : { between }),
    ...(greaterThan === undefined ? {} : { gt: greaterThan }),
    ...(hasLength ? { len_min: lengthMin } : {}),
    ...(uuid ? { uuid } : {}),
  };
};

const fieldJson = (field: Field): Json => {
  const rules = rulesOf(field);
  switch (field.type) {
    case 'array':
    case 'set':
      return { type: field.type, ...rules, elements: fieldJson(field.elements) };
    case 'map':
      return {
        type: 'map',
        ...rules,
        keys: field.keys === undefined ? { type: 'string' } : fieldJson(field.keys),
        values: fieldJson(field.values),
      };
    case 'record':
      return { type: 'record', ...rules, fields: fieldList(field.fields) };
    case 'foreign':
      return { type: 'foreign', ...rules, reference: field.reference };
    case 'any':
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return { type: field.type, ...rules };
  }
};

const fieldList = (fields: Fields): Json[] =>
  Object.entries(fields).map(([name, field]) => ({ [name]: fieldJson(field) }));

const configJson = ({ fields, shorthands }: PluginFields): Json => ({
  type: 'record',
  required: true,
  fields: fieldList(fields),
  ...(Object.keys(shorthands).length === 0 ? {} : { shorthand_fields: shorthandList(shorthands) }),
});

const shorthandList = (shorthands: PluginFields['shorthands']): Json[] =>
  Object.entries(shorthands).map(([name, { field, replacedBy }]) => {
    const deprecation = {
      message: `config.${name} is deprecated, please use config.${replacedBy.join('.')} instead`,
      removal_in_version: REMOVED_IN,
      replaced_with: [{ path: replacedBy }],
    };
    return { [name]: { ...fieldJson(field), deprecation } };
  });

const commonJson = (schema: EntitySchema, name: string, field: Field): Json => {
  if (TIMES.includes(name)) return { ...fieldJson(field), timestamp: true, auto: true };
  if (name === 'id') return { ...fieldJson(field), auto: true };
  const isUnique = name === schema.endpointKey || schema.unique.includes(name);
  return isUnique ? { ...fieldJson(field), unique: true } : fieldJson(field);
};

/** The schema of a kind of entity; a plugin's `config` is empty there, each plugin has its own. */
export const kongSchemaOf = (kind: Kind): KongSchema => {
  const schema = requireSchema(kind);
  const hidden = schema.hidden ?? [];
  const fields = Object.entries(schema.fields)
    .filter(([name]) => !hidden.includes(name))
    .map(([name, field]) => ({
      [name]:
        kind === 'plugins' && name === 'config'
          ? { type: 'record', abstract: true }
          : commonJson(schema, name, field),
    }));
  const url = { url: { type: 'string' } };
  return { entity_checks: [], fields, ...(kind === 'services' ? { shorthand_fields: [url] } : {}) };
};

const forHttp = (protocols: Field): Field =>
  protocols.type === 'set'
    ? { ...protocols, elements: { ...protocols.elements, oneOf: HTTP_PROTOCOLS } as Field }
    : protocols;

/** The schema of one plugin: the entity's fields that it decides, and its `config`. */
export const kongPluginSchema = (rules: PluginRules): KongSchema => {
  const { protocols, consumer } = requireSchema('plugins').fields as { protocols: Field; consumer: Field };
  return {
    entity_checks: [],
    fields: [
      { protocols: fieldJson(rules.streams ? protocols : forHttp(protocols)) },
      { consumer: rules.consumerScope ? fieldJson(consumer) : { ...fieldJson(consumer), eq: null } },
      { config: configJson(pluginFields(rules.config)) },
    ],
  };
};

/** The fields of an entity as it is submitted, a plugin's `config` by that plugin's own schema. */
export const submittedFields = (kind: Kind, catalog: PluginCatalog, pluginName?: unknown): Fields => {
  const { fields } = requireSchema(kind);
  if (kind !== 'plugins' || typeof pluginName !== 'string') return fields;
  const rules = catalog.get(pluginName);
  if (rules === undefined) return fields;
  const config = pluginFields(rules.config);
  const old = Object.entries(config.shorthands).map(([name, { field }]) => [name, field] as const);
  return { ...fields, config: { type: 'record', fields: { ...Object.fromEntries(old), ...config.fields } } };
};

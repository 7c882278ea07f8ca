/** Where a keyword of JSON Schema 2020-12 holds further schemas. */
type Holds = 'schema' | 'list' | 'map';

interface SchemaKeyword {
  readonly holds: Holds;
  /** True: its schemas judge the same value again; false: a part of it. */
  readonly isInPlace: boolean;
}

const inPlace = (holds: Holds): SchemaKeyword => ({ holds, isInPlace: true });
const inside = (holds: Holds): SchemaKeyword => ({ holds, isInPlace: false });

/** The keywords that hold schemas. */
export const SCHEMA_KEYWORDS: ReadonlyMap<string, SchemaKeyword> = new Map([
  ['allOf', inPlace('list')],
  ['anyOf', inPlace('list')],
  ['oneOf', inPlace('list')],
  ['not', inPlace('schema')],
  ['if', inPlace('schema')],
  ['then', inPlace('schema')],
  ['else', inPlace('schema')],
  ['dependentSchemas', inPlace('map')],
  ['properties', inside('map')],
  ['patternProperties', inside('map')],
  ['additionalProperties', inside('schema')],
  ['unevaluatedProperties', inside('schema')],
  ['propertyNames', inside('schema')],
  ['items', inside('schema')],
  ['prefixItems', inside('list')],
  ['unevaluatedItems', inside('schema')],
  ['contains', inside('schema')],
]);

/** The keywords without schemas that are checked or that are known to say nothing about validity. */
export const PLAIN_KEYWORDS: ReadonlySet<string> = new Set(
  `$ref $schema $id $comment $defs definitions type enum const multipleOf maximum exclusiveMaximum minimum
  exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains maxProperties
  minProperties required dependentRequired format contentEncoding contentMediaType contentSchema title description
  default deprecated readOnly writeOnly examples example discriminator xml externalDocs`.split(/\s+/),
);

/** The formats that are checked; any other one says nothing. */
export const FORMATS = [
  'date',
  'time',
  'date-time',
  'duration',
  'uri',
  'uri-reference',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
  'json-pointer',
  'int32',
  'int64',
  'float',
  'double',
  'byte',
] as const;

/** Formats for people, which nothing can check. */
export const FORMATS_UNCHECKED: ReadonlySet<string> = new Set(['password', 'binary']);

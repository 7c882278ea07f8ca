export { type BuiltConfig, buildConfig, type ConfigFile } from './build.ts';
export { canonicalJson } from './canonical-json.ts';
export type { PluginCatalog, PluginRules, PluginWarningContext } from './catalog.ts';
export { describeChanges } from './changes.ts';
export { type CheckedDocument, checkDocument } from './check-document.ts';
export { ConsumerGroups } from './consumer-groups.ts';
export { DocumentTooLarge } from './document-size.ts';
export { ConfigError, type ConfigErrorBody, type ConfigProblem } from './errors/config-error.ts';
export type { FlattenedError } from './errors/flatten-errors.ts';
export { luaLiteral } from './errors/lua-literal.ts';
export { isSecretField, redactEntity } from './errors/redact.ts';
export { suggestName } from './errors/suggest.ts';
export { deterministicId, uuid5 } from './ids.ts';
export { type ConfigInput, type LoadedConfig, type LoadOptions, loadConfig } from './load-config.ts';
export type {
  Acl,
  BasicauthCredential,
  CaCertificate,
  Certificate,
  Consumer,
  EntityByKind,
  EntityOf,
  HealthcheckActive,
  HealthcheckPassive,
  HmacauthCredential,
  Issuer,
  JwtSecret,
  KeyauthCredential,
  PluginEntity,
  PluginMode,
  Reference,
  Route,
  Service,
  Sni,
  Stored,
  Target,
  Tenant,
  Upstream,
  Vault,
} from './model.ts';
export {
  MAX_CONFIG_LENGTH,
  type Parsed,
  parseConfigText,
  parseJson,
  parseText,
  refuseHostile,
} from './parse.ts';
export { isRecord, type Locate, type Path, type Position, showPath } from './path.ts';
export { checkPattern } from './pattern.ts';
export { flattened, flattenedText, publicEntity, toDeclarativeYaml } from './render.ts';
export { type Finding, isUuid } from './schema/check-fields.ts';
export { type CheckedEntity, checkEntity, ENTITY_SCHEMAS, schemaOf } from './schema/entities.ts';
export { type EntitySchema, foreignFields } from './schema/entity.ts';
export type { EntityCheck, Field, Fields } from './schema/field.ts';
export { readForm } from './schema/form-fields.ts';
export { type KongSchema, kongPluginSchema, kongSchemaOf, submittedFields } from './schema/kong-schema.ts';
export { mergeFields } from './schema/merge-fields.ts';
export { type PluginFields, pluginFields, type Shorthand } from './schema/plugin-fields.ts';
export { generateSecrets, hashPassword, randomSecret, transformSecrets } from './secrets.ts';
export { ConfigState, diffStates, type Entities, type StateLine, sameButTimes } from './state.ts';
export {
  type Environment,
  isReference,
  resolveReference,
  type VaultPrefixes,
  vaultPrefixesOf,
} from './vault-reference.ts';
export { writeYaml } from './yaml/write-yaml.ts';

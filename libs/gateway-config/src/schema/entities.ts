import type { Kind } from '@sluice/contracts';
import type { PluginCatalog } from '../catalog.ts';
import { isRecord } from '../path.ts';
import {
  caCertificateSchema,
  certificateSchema,
  keySchema,
  keySetSchema,
  sniSchema,
  vaultSchema,
} from './certificate.ts';
import { type Checker, checkFields, type Finding, newChecker } from './check-fields.ts';
import {
  aclSchema,
  basicauthSchema,
  consumerSchema,
  hmacauthSchema,
  issuerSchema,
  jwtSecretSchema,
  keyauthSchema,
  oauth2Schema,
  tenantSchema,
} from './consumer.ts';
import type { EntitySchema } from './entity.ts';
import { pluginSchema } from './plugin.ts';
import { checkPluginConfig } from './plugin-config.ts';
import { compileFields, NOT_CLEAN, type QuickRecord } from './quick-check.ts';
import { routeSchema } from './route.ts';
import { serviceSchema } from './service.ts';
import { HTTP_PROTOCOLS, isStreamProtocol } from './typedefs.ts';
import { targetSchema, upstreamSchema } from './upstream.ts';

/** Every kind a configuration may hold, in the order documents are read and shown. */
export const ENTITY_SCHEMAS: readonly EntitySchema[] = [
  certificateSchema,
  caCertificateSchema,
  serviceSchema,
  routeSchema,
  consumerSchema,
  pluginSchema,
  upstreamSchema,
  targetSchema,
  sniSchema,
  vaultSchema,
  keySetSchema,
  keySchema,
  keyauthSchema,
  basicauthSchema,
  hmacauthSchema,
  jwtSecretSchema,
  aclSchema,
  oauth2Schema,
  issuerSchema,
  tenantSchema,
];

const byKind: ReadonlyMap<string, EntitySchema> = new Map(
  ENTITY_SCHEMAS.map((schema) => [schema.kind, schema]),
);

/** The schema of a kind; undefined where the name is not a kind that can be configured. */
export const schemaOf = (kind: string): EntitySchema | undefined => byKind.get(kind);

/** The schema of a kind that is known to have one. */
export const requireSchema = (kind: Kind): EntitySchema => {
  const schema = byKind.get(kind);
  if (schema === undefined) throw new Error(`no schema for '${kind}'`);
  return schema;
};

/** Allowed in every entity and dropped. */
const IGNORED = ['_comment', '_ignore', 'ws_id'];
const ignoredOf = new Map<string, ReadonlySet<string>>();

/** Keys that are no fields: comments, and the lists of nested entities. */
const ignoredIn = (schema: EntitySchema): ReadonlySet<string> => {
  const known = ignoredOf.get(schema.kind) ?? new Set([...IGNORED, ...Object.keys(schema.children)]);
  ignoredOf.set(schema.kind, known);
  return known;
};

/** An entity as it will be stored (references unresolved), and what is wrong with it. */
export interface CheckedEntity {
  readonly entity: Record<string, unknown>;
  /** Paths are relative to the entity; `[]` is the entity as a whole. */
  readonly findings: readonly Finding[];
}

export interface CheckEntityOptions {
  /** Fields that the surroundings set, such as the parent of a nested entity. */
  readonly given?: readonly string[];
}

/** Checks one submitted entity against its schema and completes it. References stay as they were written. */
export const checkEntity = (
  kind: Kind,
  submitted: unknown,
  catalog: PluginCatalog,
  { given = [] }: CheckEntityOptions = {},
): CheckedEntity => {
  const schema = requireSchema(kind);
  if (!isRecord(submitted) && !(Array.isArray(submitted) && submitted.length === 0))
    return { entity: {}, findings: [{ path: [], message: 'expected a record', whole: true }] };
  const prepared =
    schema.prepare?.(isRecord(submitted) ? submitted : {}) ?? (isRecord(submitted) ? submitted : {});
  const clean = checkQuickly(schema, prepared, catalog, given);
  if (clean !== undefined) return { entity: clean, findings: NONE };
  const checker = newChecker();
  const entity = checkGiven(checker, schema, prepared, given);
  if (schema.kind === 'plugins') checkPlugin(checker, entity, catalog, given);
  runChecks(checker, schema, entity);
  return { entity, findings: checker.findings };
};

const NONE: readonly Finding[] = [];

const quickOf = new Map<EntitySchema, Map<string, QuickRecord>>();
/** Compiled for a kind and what its parent gives. A plugin for which no `mode` is written has no such key. */
const quickFor = (schema: EntitySchema, given: readonly string[], hasMode: boolean): QuickRecord => {
  const ofKind = quickOf.get(schema) ?? new Map<string, QuickRecord>();
  quickOf.set(schema, ofKind);
  const key = given.length === 0 ? `${hasMode}` : `${hasMode} ${given.join(' ')}`;
  const known = ofKind.get(key);
  if (known !== undefined) return known;
  const { mode, ...others } = schema.fields;
  const isLeftOut = mode !== undefined && !hasMode;
  const compiled = compileFields(isLeftOut ? others : schema.fields, {
    ignored: isLeftOut ? new Set([...ignoredIn(schema), 'mode']) : ignoredIn(schema),
    absent: given,
  });
  ofKind.set(key, compiled);
  return compiled;
};

/** The entity where all is right; undefined where it must be looked at by the checker that finds words. */
const checkQuickly = (
  schema: EntitySchema,
  prepared: Readonly<Record<string, unknown>>,
  catalog: PluginCatalog,
  given: readonly string[],
): Record<string, unknown> | undefined => {
  if (schema.loose) return undefined;
  const entity = quickFor(schema, given, (prepared.mode ?? null) !== null)(prepared);
  if (entity === NOT_CLEAN) return undefined;
  if (schema.kind !== 'plugins' && schema.checks.length === 0) return entity;
  const checker = newChecker();
  if (schema.kind === 'plugins') checkPlugin(checker, entity, catalog, given);
  if (checker.findings.length === 0) runChecks(checker, schema, entity);
  return checker.findings.length === 0 ? entity : undefined;
};

const checkGiven = (
  checker: Checker,
  schema: EntitySchema,
  prepared: Readonly<Record<string, unknown>>,
  given: readonly string[],
): Record<string, unknown> => {
  const loose = schema.loose ? Object.keys(prepared).filter((key) => !IGNORED.includes(key)) : [];
  const ignored = new Set([...ignoredIn(schema), ...loose]);
  const entity = checkFields(
    checker,
    schema.fields,
    prepared,
    loose.length > 0 ? ignored : ignoredIn(schema),
  );
  for (const key of loose) if (!Object.hasOwn(entity, key)) entity[key] = prepared[key] ?? null;
  for (const name of given) {
    // The parent fills this in: absent is right, anything else is not.
    const missing = checker.findings.findIndex(({ path }) => path.length > 0 && path[0] === name);
    if (missing !== -1) checker.findings.splice(missing, 1);
    if ((prepared[name] ?? null) !== null)
      checker.findings.push({ path: [name], message: 'value must be null' });
  }
  return entity;
};

const checkPlugin = (
  checker: Checker,
  entity: Record<string, unknown>,
  catalog: PluginCatalog,
  given: readonly string[],
): void => {
  if (entity.mode === null) delete entity.mode; // answers stay those of Kong where it is not used
  if (typeof entity.name !== 'string') return;
  const rules = catalog.get(entity.name);
  if (rules === undefined) {
    const message = `plugin '${entity.name}' not enabled; add it to the 'plugins' configuration property`;
    checker.findings.push({ path: ['name'], message, candidates: catalog.names() });
    return;
  }
  entity.config = checkPluginConfig(checker, rules, entity.config);
  if (!rules.consumerScope && (entity.consumer !== null || given.includes('consumer')))
    checker.findings.push({ path: ['consumer'], message: 'value must be null' });
  if (rules.streams !== true && Array.isArray(entity.protocols))
    checkHttpProtocols(checker, entity.protocols);
};

const checkHttpProtocols = (checker: Checker, protocols: readonly string[]): void => {
  const message = `expected one of: ${HTTP_PROTOCOLS.join(', ')}`;
  for (const [i, protocol] of protocols.entries())
    if (isStreamProtocol(protocol)) checker.findings.push({ path: ['protocols', i], message });
};

const runChecks = (checker: Checker, schema: EntitySchema, entity: Record<string, unknown>): void => {
  if (schema.checks.length === 0) return;
  const wrong = checker.findings.map(({ path }) => path[0]);
  const report = (path: readonly (string | number)[], message: string): void => {
    checker.findings.push({ path: [...path], message });
  };
  for (const check of schema.checks)
    if (wrong.length === 0 || !check.fields.some((field) => wrong.includes(field))) check.run(entity, report);
};

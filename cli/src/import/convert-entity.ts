/* What one entity needs before the configuration's own checks look at it. */
import { isRecord, type PluginCatalog, pluginFields, schemaOf } from '@sluice/gateway-config';
import { type Entity, type Item, leaveOut, note } from './items.ts';
import {
  adviceFor,
  GRPC_PROTOCOLS,
  MISSING_COLLECTIONS,
  MISSING_FIELDS,
  RENAMED_CONFIG,
  STREAM_PROTOCOLS,
} from './kong-knowledge.ts';

const VAULT = /^\{vault:\/\/([^/}]+)/;

/** Rewrites one entity of the result, and notes what changed and what is not here. */
export const convertEntity = (item: Item, items: readonly Item[], catalog: PluginCatalog): void => {
  settleReferences(item);
  dropMissingFields(item);
  dropMissingCollections(item);
  if (item.kind === 'plugins') convertPlugin(item, items, catalog);
  if (item.kind === 'routes' || item.kind === 'services') judgeProtocols(item, items);
  if (item.kind === 'vaults' && item.entity.name !== 'env')
    leaveOut(items, item, 'only the environment is read as a vault', 'write the values, or use vault env');
  if (item.kind === 'oauth2_credentials')
    note(item, '', { status: 'unsupported', reason: 'kept, but the plugin oauth2 is not here' });
  if (!item.isLeftOut) judgeVaultReferences(item, items);
};

/** decK writes `service: {name: x}`; Kong's files and ours the name alone. */
const settleReferences = (item: Item): void => {
  for (const [name, field] of Object.entries(schemaOf(item.kind)?.fields ?? {})) {
    const value = item.entity[name];
    if (field.type !== 'foreign' || !isRecord(value)) continue;
    const word = value.name ?? value.username ?? value.id;
    if (typeof word !== 'string' || (Object.keys(value).length === 1 && value.id === word)) continue;
    item.entity[name] = word;
    note(item, name, { status: 'changed', reason: 'a reference is written as a name or {id}' });
  }
};

const dropMissingFields = (item: Item): void => {
  for (const [field, lack] of Object.entries(MISSING_FIELDS[item.kind] ?? {})) {
    if (!Object.hasOwn(item.entity, field)) continue;
    const value = item.entity[field];
    delete item.entity[field];
    const isNothing = value === null || (Array.isArray(value) && value.length === 0);
    if (!isNothing) note(item, field, { status: 'unsupported', ...lack });
  }
  if (Object.hasOwn(item.entity, 'run_on')) {
    delete item.entity.run_on;
    note(item, 'run_on', { status: 'changed', reason: 'gone since Kong 2.0; left out' });
  }
};

const dropMissingCollections = (item: Item): void => {
  for (const [name, lack] of Object.entries(MISSING_COLLECTIONS)) {
    if (!Object.hasOwn(item.entity, name) || schemaOf(name) !== undefined) continue;
    const nested = item.entity[name];
    delete item.entity[name];
    if (Array.isArray(nested) && nested.length > 0) note(item, name, { status: 'unsupported', ...lack });
  }
};

const convertPlugin = (item: Item, items: readonly Item[], catalog: PluginCatalog): void => {
  const name = String(item.entity.name);
  const rules = catalog.get(name);
  if (rules === undefined) {
    const { reason, remedy } = adviceFor(name);
    leaveOut(items, item, reason, remedy);
    return;
  }
  const { config } = item.entity;
  if (!isRecord(config)) return;
  for (const [old, current] of Object.entries(RENAMED_CONFIG[name] ?? {})) move(item, config, old, [current]);
  for (const [old, { replacedBy }] of Object.entries(pluginFields(rules.config).shorthands))
    move(item, config, old, replacedBy);
};

/** Writes a field under the name it has today, unless that is written too. */
const move = (item: Item, config: Entity, old: string, place: readonly string[]): void => {
  if (!Object.hasOwn(config, old)) return;
  const value = config[old];
  delete config[old];
  if (value === null) return;
  let record = config;
  for (const step of place.slice(0, -1)) {
    if (!isRecord(record[step])) record[step] = {};
    record = record[step] as Entity;
  }
  const last = place.at(-1) ?? old;
  record[last] ??= value;
  note(item, `config.${old}`, { status: 'changed', reason: `written as config.${place.join('.')}` });
};

const judgeProtocols = (item: Item, items: readonly Item[]): void => {
  const { protocol, protocols } = item.entity;
  const named = [protocol, ...(Array.isArray(protocols) ? protocols : [])];
  const urlScheme = typeof item.entity.url === 'string' ? item.entity.url.split(':')[0] : undefined;
  const uses = (list: readonly string[]) => [...named, urlScheme].some((one) => list.includes(String(one)));
  if (uses(STREAM_PROTOCOLS))
    leaveOut(items, item, 'streams are not carried here', 'put a TCP load balancer in front of it');
  else if (uses(GRPC_PROTOCOLS))
    note(item, item.kind === 'routes' ? 'protocols' : 'protocol', {
      status: 'unsupported',
      reason: 'kept, but gRPC messages are not carried yet',
      remedy: 'leave gRPC with Kong, or put it in front',
    });
  if (item.entity.path_handling === 'v1')
    note(item, 'path_handling', {
      status: 'changed',
      reason: 'treated as v0, as Kong’s own router does unless it is the old traditional one',
    });
};

/** Paths of the entity's values that are references to a vault other than the environment. */
const judgeVaultReferences = (item: Item, items: readonly Item[]): void => {
  const isEnvironment = (prefix: string): boolean =>
    prefix === 'env' ||
    items.some(({ kind, entity }) => kind === 'vaults' && entity.prefix === prefix && entity.name === 'env');
  const visit = (value: unknown, path: string): void => {
    if (isRecord(value)) {
      for (const [key, one] of Object.entries(value)) visit(one, path === '' ? key : `${path}.${key}`);
      return;
    }
    const prefix = typeof value === 'string' ? VAULT.exec(value)?.[1] : undefined;
    if (prefix === undefined) return;
    if (item.kind === 'certificates')
      note(item, path, {
        status: 'unsupported',
        reason: 'certificates are not read from a vault here',
        remedy: 'write the PEM',
      });
    else if (!isEnvironment(prefix))
      note(item, path, {
        status: 'unsupported',
        reason: `vault '${prefix}' is not here`,
        remedy: 'put the value into the environment and write {vault://env/…}',
      });
  };
  const children = schemaOf(item.kind)?.children ?? {};
  for (const [key, value] of Object.entries(item.entity))
    if (!Object.hasOwn(children, key)) visit(value, key);
};

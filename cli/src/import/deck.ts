/* What decK writes around Kong's entities: defaults, shared plugin configurations, references to the environment. */
import type { Kind } from '@sluice/contracts';
import { isRecord } from '@sluice/gateway-config';
import { type Entity, type Item, leaveOut, note, writtenIn } from './items.ts';
import type { ReportLine } from './report.ts';

const DEFAULTS: Readonly<Partial<Record<Kind, string>>> = {
  services: 'service',
  routes: 'route',
  upstreams: 'upstream',
  targets: 'target',
  consumers: 'consumer',
};

const documentLine = (line: Omit<ReportLine, 'collection' | 'entity'>): ReportLine => ({
  collection: 'document',
  entity: '',
  ...line,
});

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);

/** Takes decK's own keys out of the document and does what they say. */
export const settleDeckKeys = (document: Entity, items: readonly Item[]): ReportLine[] => {
  const { _info: info, _konnect: konnect, _workspace: workspace, _plugin_configs: shared } = document;
  for (const key of ['_info', '_konnect', '_workspace', '_plugin_configs']) delete document[key];
  const lines: ReportLine[] = [];
  if (isRecord(info)) lines.push(...settleInfo(info, items));
  if (isRecord(shared)) for (const item of items) mergeShared(item, shared);
  if (!isEmpty(konnect))
    lines.push(
      documentLine({ status: 'changed', field: '_konnect', reason: 'Konnect is not here; left out' }),
    );
  if (typeof workspace === 'string' && workspace !== 'default')
    lines.push(
      documentLine({
        status: 'changed',
        field: '_workspace',
        reason: 'there is one workspace here; its entities are in it',
        remedy: 'give each workspace a gateway of its own where names collide',
      }),
    );
  return lines;
};

const settleInfo = (info: Entity, items: readonly Item[]): ReportLine[] => {
  const lines: ReportLine[] = [];
  const { defaults, select_tags: tags, default_lookup_tags: lookup } = info;
  if (isRecord(defaults)) for (const item of items) applyDefaults(item, defaults);
  if (Array.isArray(tags) && tags.length > 0) {
    for (const { entity } of items)
      entity.tags = [...new Set([...(Array.isArray(entity.tags) ? entity.tags : []), ...tags])];
    const reason = 'decK gives these tags to every entity; written into each';
    lines.push(documentLine({ status: 'changed', field: '_info.select_tags', reason }));
  }
  if (!isEmpty(lookup))
    lines.push(
      documentLine({
        status: 'unsupported',
        field: '_info.default_lookup_tags',
        reason: 'it refers to entities that are not in this file',
        remedy: 'let decK dump them into it',
      }),
    );
  return lines;
};

const applyDefaults = (item: Item, defaults: Entity): void => {
  const own = defaults[DEFAULTS[item.kind] ?? ''];
  if (!isRecord(own)) return;
  const filled = Object.keys(own).filter((field) => item.entity[field] === undefined);
  for (const field of filled) item.entity[field] = structuredClone(own[field]);
  if (filled.length > 0)
    note(item, '', { status: 'changed', reason: `${filled.join(', ')} written from _info.defaults` });
};

const mergeShared = (item: Item, shared: Entity): void => {
  const { _config: name, ...rest } = item.entity;
  if (item.kind !== 'plugins' || typeof name !== 'string') return;
  delete item.entity._config;
  const config = shared[name];
  item.entity.config = { ...(isRecord(config) ? structuredClone(config) : {}), ...toRecord(rest.config) };
  item.written = writtenIn(item.entity);
  note(item, '', { status: 'changed', reason: `written out with _plugin_configs '${name}'` });
};

const toRecord = (value: unknown): Entity => (isRecord(value) ? value : {});

const REFERENCE = /\$\{\{\s*env\s+["'`]([A-Za-z0-9_]+)["'`]\s*(?:\|\s*(\w+)\s*)?\}\}/g;

const CONVERSIONS: Readonly<Record<string, (text: string) => unknown>> = {
  toInt: Number,
  toFloat: Number,
  toBool: (text) => text === 'true',
};

interface Surroundings {
  readonly items: readonly Item[];
  readonly nested: ReadonlySet<string>;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Replaces `${{ env "X" }}` by the variable's value as it is now, at any depth of an entity but its nested ones.
 * Where the variable is not set the entity is left out: nothing is made up.
 */
export const replaceReferences = (item: Item, { items, nested, env }: Surroundings): void => {
  const unset: string[] = [];
  const replace = (value: unknown, field: string): unknown => {
    if (typeof value === 'string') return replaced(item, value, field);
    if (Array.isArray(value)) return value.map((one) => replace(one, field));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, replace(one, `${field}.${key}`)]),
    );
  };
  const replaced = (of: Item, text: string, field: string): unknown => {
    const references = text.includes('${{') ? [...text.matchAll(REFERENCE)] : [];
    const names = references.map(([, name = '']) => name);
    const missing = names.filter((name) => env[name] === undefined);
    if (missing.length > 0) unset.push(`${field}: ${missing.join(', ')} is not set`);
    if (names.length === 0 || missing.length > 0) return text;
    note(of, field, { ...WRITTEN_IN, reason: `${names.join(', ')} ${WRITTEN_IN.reason}` });
    const [whole = '', , filter = ''] = references[0] ?? [];
    const result = text.replace(REFERENCE, (_, name: string) => env[name] ?? '');
    return whole === text ? (CONVERSIONS[filter]?.(result) ?? result) : result;
  };
  for (const [key, value] of Object.entries(item.entity))
    if (!nested.has(key)) item.entity[key] = replace(value, key);
  if (unset.length > 0)
    leaveOut(items, item, unset.join('; '), 'set it and import again, or write the value');
};

const WRITTEN_IN = {
  status: 'changed',
  reason: 'is written in as it is now: there are no references to the environment here',
  remedy: 'keep the result as secret as the variable',
  isSecret: true,
} as const;

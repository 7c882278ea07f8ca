import type { Kind } from '@sluice/contracts';
import { checkEntity, ENTITY_SCHEMAS, isRecord, type PluginCatalog } from '@sluice/gateway-config';
import { convertEntity } from './convert-entity.ts';
import { replaceReferences, settleDeckKeys } from './deck.ts';
import { type Entity, type Item, itemsOf, linesOf, note } from './items.ts';
import { GUARDS, KONG_STATE, MISSING_COLLECTIONS } from './kong-knowledge.ts';
import type { ReportLine } from './report.ts';
import { settle } from './settle.ts';

const FORMATS = ['1.1', '2.1', '3.0'];
const NESTED: ReadonlySet<string> = new Set(ENTITY_SCHEMAS.map(({ kind }) => kind));
const CLOSED_STATUS = 503;

export interface Imported {
  /** A declarative document that the registry takes. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly lines: readonly ReportLine[];
}

/**
 * Makes a document for this gateway out of one for Kong: a declarative file, what decK dumped, or an export of
 * Kong's database. Nothing is opened by what is left out: where a plugin that kept requests out is missing, the
 * result refuses them.
 */
export const importKong = (
  source: Readonly<Record<string, unknown>>,
  { catalog, env }: { readonly catalog: PluginCatalog; readonly env: NodeJS.ProcessEnv },
): Imported => {
  const document: Entity = structuredClone(source);
  const lines = [...settleFormat(document), ...settleCollections(document)];
  const items = ENTITY_SCHEMAS.flatMap(({ kind }) => itemsOf(kind, document[kind]));
  lines.push(...settleDeckKeys(document, items));
  for (const item of items) replaceReferences(item, { items, nested: NESTED, env });
  for (const item of items) if (!item.isLeftOut) convertEntity(item, items, catalog);
  lines.push(...settle(document, items, catalog));
  closeOpened(document, items, catalog);
  for (const item of items) noteWhatIsElsewhere(item, catalog);
  lines.push(...items.flatMap(linesOf));
  return { document: ordered(document), lines };
};

const documentLine = (line: Omit<ReportLine, 'collection' | 'entity'>): ReportLine => ({
  collection: 'document',
  entity: '',
  ...line,
});

const settleFormat = (document: Entity): ReportLine[] => {
  const { _format_version: written } = document;
  if (typeof written === 'string' && FORMATS.includes(written)) return [];
  const text = typeof written === 'number' ? written.toFixed(1) : '3.0';
  document._format_version = FORMATS.includes(text) ? text : '3.0';
  const reason = `written as text, "${String(document._format_version)}"`;
  return [documentLine({ status: 'changed', field: '_format_version', reason })];
};

/** Takes out what is no collection here: one line for each of their entities. */
const settleCollections = (document: Entity): ReportLine[] => {
  const lines: ReportLine[] = [];
  const { workspaces } = document;
  if (Array.isArray(workspaces) && workspaces.length > 1)
    lines.push(
      documentLine({
        status: 'changed',
        field: 'workspaces',
        reason: `${workspaces.length} workspaces become one`,
        remedy: 'export them one by one where names collide',
      }),
    );
  for (const name of Object.keys(document)) {
    if (KONG_STATE.has(name)) {
      delete document[name];
      lines.push(documentLine({ status: 'changed', field: name, reason: 'Kong’s own state; left out' }));
      continue;
    }
    const lack = Object.hasOwn(MISSING_COLLECTIONS, name) ? MISSING_COLLECTIONS[name] : undefined;
    if (lack === undefined || NESTED.has(name)) continue;
    const list: unknown = document[name];
    delete document[name];
    for (const [index, one] of (Array.isArray(list) ? list : []).entries()) {
      const named = isRecord(one) && typeof one.name === 'string' ? `'${one.name}'` : `#${index + 1}`;
      lines.push({ status: 'unsupported', collection: name, entity: named, ...lack });
    }
  }
  return lines;
};

/** A plugin that let requests in, or kept them out, and is not in the result. */
const isLostGuard = ({ kind, entity, parent, isLeftOut }: Item): boolean =>
  isLeftOut &&
  kind === 'plugins' &&
  GUARDS.has(String(entity.name)) &&
  entity.enabled !== false &&
  parent?.isLeftOut !== true &&
  parent?.kind !== 'consumers' &&
  (entity.consumer ?? null) === null;

/** Closes the scope of each guard that is missing, and says so where that scope is in the result. */
const closeOpened = (document: Entity, items: readonly Item[], catalog: PluginCatalog): void => {
  const closings = items.filter(isLostGuard).map((guard) => {
    const { entity, list, parent } = guard;
    const closing: Entity = {
      name: 'request-termination',
      ...Object.fromEntries(['route', 'service'].flatMap((at) => (entity[at] ? [[at, entity[at]]] : []))),
      config: {
        status_code: CLOSED_STATUS,
        message: `Closed by sluice import: ${String(entity.name)} is missing`,
      },
    };
    list.push(closing);
    return { guard, added: itemsOf('plugins', [closing], parent).map((item) => ({ ...item, list })) };
  });
  settle(document, [...items, ...closings.flatMap(({ added }) => added)], catalog);
  for (const { guard, added } of closings) {
    const said = guard.notes.get('');
    if (said === undefined || !added.some(({ isLeftOut }) => !isLeftOut)) continue;
    const remedy = `${said.remedy ?? 'mend it'}; until then its routes answer 503 in the result`;
    guard.notes.set('', { ...said, remedy });
  }
};

/** What a valid plugin will not do as it says, because something else decides it. */
const noteWhatIsElsewhere = (item: Item, catalog: PluginCatalog): void => {
  if (item.kind !== 'plugins' || item.isLeftOut) return;
  const submitted = isRecord(item.entity.config) ? item.entity.config : {};
  const { redis, policy } = submitted;
  if (isRecord(redis) && typeof redis.host === 'string')
    note(item, 'config.redis', {
      status: 'changed',
      reason: 'kept and checked; REDIS_URL of the processes decides where is counted',
    });
  if (policy === 'local' || policy === 'cluster')
    note(item, 'config.policy', { status: 'changed', reason: 'counted in one Redis for all edges' });
  const rules = catalog.get(String(item.entity.name));
  const { entity } = checkEntity('plugins', item.entity, catalog, { given: parentField(item) });
  const warnings = rules?.warnings?.(entity.config, { submitted, environment: {} }) ?? [];
  if (warnings.length > 0) note(item, '', { status: 'changed', reason: warnings.join('; ') });
};

const parentField = ({ parent }: Item): string[] => (parent === undefined ? [] : [parent.kind.slice(0, -1)]);

/** Settings first, then the collections in the order documents are read; empty ones go. */
const ordered = (document: Entity): Entity => {
  const kinds: readonly Kind[] = ENTITY_SCHEMAS.map(({ kind }) => kind);
  const settings = Object.entries(document).filter(([key]) => key.startsWith('_'));
  const lists = kinds.flatMap((kind) => {
    const list = document[kind];
    return Array.isArray(list) && list.length > 0 ? [[kind, list] as const] : [];
  });
  return Object.fromEntries([...settings, ...lists]);
};

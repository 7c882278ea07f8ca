import type { Kind } from '@sluice/contracts';
import { isRecord, type Path, schemaOf } from '@sluice/gateway-config';
import type { ReportLine, Status } from './report.ts';

export type Entity = Record<string, unknown>;

interface Note {
  readonly status: Exclude<Status, 'mapped'>;
  readonly reason: string;
  readonly remedy?: string | undefined;
  /** The value came from the environment: no message about it may be repeated. */
  readonly isSecret?: boolean;
}

/** One entity of the file and what became of it. */
export interface Item {
  readonly kind: Kind;
  readonly label: string;
  /** Of the result: changed as the import goes on. */
  readonly entity: Entity;
  /** The list it stands in. */
  readonly list: unknown[];
  readonly parent: Item | undefined;
  /** Paths of the plugin's configuration as it was written. */
  written: readonly string[];
  /** By field; `''` is the entity. The first note of a field stands, unless a later one is worse. */
  readonly notes: Map<string, Note>;
  isLeftOut: boolean;
}

/** Fields by which people know an entity; none of them is secret. */
const NAMES = ['name', 'instance_name', 'username', 'custom_id', 'prefix', 'target', 'group', 'id'];
/** Kinds whose username, key or name is half of a credential: told apart by number. */
const NAMELESS: ReadonlySet<string> = new Set(['keyauth_credentials', 'jwt_secrets', 'oauth2_credentials']);

const nameOf = (kind: Kind, entity: Entity, index: number): string => {
  const field = NAMELESS.has(kind) ? undefined : NAMES.find((name) => typeof entity[name] === 'string');
  return field === undefined ? `#${index + 1}` : `'${String(entity[field])}'`;
};

const referenceText = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  const name = isRecord(value) ? (value.name ?? value.username ?? value.id) : undefined;
  return typeof name === 'string' ? name : undefined;
};

const SCOPES = ['route', 'service', 'consumer', 'upstream'];

const labelOf = (kind: Kind, entity: Entity, index: number, parent: Item | undefined): string => {
  const name = nameOf(kind, entity, index);
  if (kind === 'routes' || kind === 'services') return name;
  if (parent !== undefined) return `${name} of ${parent.kind.replace(/s$/, '')} ${parent.label}`;
  const scopes = SCOPES.flatMap((scope) => {
    const text = referenceText(entity[scope]);
    return text === undefined ? [] : [`${scope} '${text}'`];
  });
  return scopes.length === 0 ? name : `${name} of ${scopes.join(', ')}`;
};

/** Paths to everything in a plugin's configuration that is no record itself. */
export const writtenIn = ({ config }: Entity): string[] =>
  isRecord(config) ? leavesOf(config, 'config') : [];

const leavesOf = (value: unknown, path: string): string[] =>
  isRecord(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([key, item]) => leavesOf(item, `${path}.${key}`))
    : [path];

/** All entities of a list and those nested in them, parents first. */
export const itemsOf = (kind: Kind, list: unknown, parent?: Item): Item[] => {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entity, index) => {
    if (!isRecord(entity)) return [];
    const item: Item = {
      kind,
      label: labelOf(kind, entity, index, parent),
      entity,
      list,
      parent,
      written: kind === 'plugins' ? writtenIn(entity) : [],
      notes: new Map(),
      isLeftOut: false,
    };
    const children = Object.keys(schemaOf(kind)?.children ?? {}) as Kind[];
    return [item, ...children.flatMap((child) => itemsOf(child, entity[child], item))];
  });
};

export const note = (item: Item, field: string, said: Note): void => {
  const before = item.notes.get(field);
  if (before === undefined || (before.status === 'changed' && said.status === 'unsupported'))
    item.notes.set(field, said);
};

/** Takes an entity out of the result, with those nested in it. */
export const leaveOut = (items: readonly Item[], item: Item, reason: string, remedy?: string): void => {
  if (item.isLeftOut) return;
  item.isLeftOut = true;
  item.notes.set('', { status: 'unsupported', reason, remedy });
  const place = item.list.indexOf(item.entity);
  if (place !== -1) item.list.splice(place, 1);
  const parent = `${item.kind.replace(/s$/, '')} ${item.label}`;
  for (const child of items)
    if (child.parent === item)
      leaveOut(items, child, `${parent} is left out`, 'mend that, then import again');
};

/** The item a path of the result leads to, and the path inside it. */
export const itemAt = (
  document: Entity,
  path: Path,
  byEntity: ReadonlyMap<unknown, Item>,
): { readonly item: Item; readonly inside: Path } | undefined => {
  let at: unknown = document;
  let found: { item: Item; inside: Path } | undefined;
  for (const [depth, step] of path.entries()) {
    at = typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined;
    const item = byEntity.get(at);
    if (item !== undefined) found = { item, inside: path.slice(depth + 1) };
  }
  return found;
};

const lineOf = ({ kind, label }: Item, field: string, said: Note | undefined): ReportLine => ({
  status: said?.status ?? 'mapped',
  collection: kind,
  entity: label,
  ...(field === '' ? {} : { field }),
  ...(said === undefined ? {} : { reason: said.reason }),
  ...(said?.remedy === undefined ? {} : { remedy: said.remedy }),
});

/** One line for the entity, one for each field of a plugin, and one for any other field there is a note about. */
export const linesOf = (item: Item): ReportLine[] => {
  const own = lineOf(item, '', item.notes.get(''));
  if (item.isLeftOut) return [own];
  const noted = [...item.notes.keys()].filter((field) => field !== '' && !item.written.includes(field));
  return [own, ...[...item.written, ...noted].map((field) => lineOf(item, field, noteFor(item, field)))];
};

/** Of the field itself, or of what it lies in. */
const noteFor = (item: Item, field: string): Note | undefined => {
  for (let path = field; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('.')))) {
    const said = item.notes.get(path);
    if (said !== undefined) return said;
  }
  return undefined;
};

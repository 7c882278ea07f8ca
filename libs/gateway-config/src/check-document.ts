import type { Kind } from '@sluice/contracts';
import type { PluginCatalog } from './catalog.ts';
import { MAX_ITEMS as MAX_ENTITIES } from './document-size.ts';
import type { Draft, Violation } from './errors/violation.ts';
import { isRecord, own, type Path } from './path.ts';
import type { Finding } from './schema/check-fields.ts';
import { checkEntity, ENTITY_SCHEMAS, requireSchema } from './schema/entities.ts';
import { normalizePath } from './schema/typedefs.ts';

const FORMATS = ['1.1', '2.1', '3.0'];
/** Written by decK or by a dump of Kong's database; they do not change the configuration. */
const IGNORED = ['_info', '_workspace', 'workspaces'];
const SETTINGS = ['_format_version', '_transform', '_comment', '_ignore'];
const KINDS: readonly Kind[] = ENTITY_SCHEMAS.map(({ kind }) => kind);
const KEYS = new Set<string>([...SETTINGS, ...IGNORED, ...KINDS]);
const SUGGESTED_KEYS = [...KINDS, ...SETTINGS];

/** A document with so many mistakes is not read further. */
export const MAX_VIOLATIONS = 10_000;
/** Characters of one message, which may quote what was submitted. */
const MAX_MESSAGE = 1000;

/** A document after schema validation: its entities, parents before children, and all that is wrong. */
export interface CheckedDocument {
  readonly drafts: readonly Draft[];
  readonly violations: readonly Violation[];
  /** False: secrets in the document are stored values already (`_transform: false`). */
  readonly transform: boolean;
}

interface Walk {
  readonly catalog: PluginCatalog;
  readonly drafts: Draft[];
  readonly violations: Violation[];
  /** Format 1.1 and 2.1: regular expressions have no `~` yet. */
  readonly migratePaths: boolean;
}

/** Checks a document against the schemas of all entities, nested ones included (kong-compat 1.1, 1.2). */
export const checkDocument = (
  document: Readonly<Record<string, unknown>>,
  catalog: PluginCatalog,
): CheckedDocument => {
  const version = own(document, '_format_version');
  const walk: Walk = {
    catalog,
    drafts: [],
    violations: [],
    migratePaths: version === '1.1' || version === '2.1',
  };
  checkSettings(walk, document);
  for (const kind of KINDS) checkList(walk, kind, own(document, kind), [kind], undefined);
  const { drafts, violations } = walk;
  return { drafts, violations, transform: own(document, '_transform') !== false };
};

const AT_TOP = { given: [] };

const isFull = ({ violations }: Walk): boolean => violations.length >= MAX_VIOLATIONS;

const refuse = (walk: Walk, path: Path, message: string, candidates?: readonly string[]): void => {
  const violation = { path, message, scope: 'field' } as const;
  walk.violations.push(candidates === undefined ? violation : { ...violation, candidates });
};

const checkSettings = (walk: Walk, document: Readonly<Record<string, unknown>>): void => {
  const version = own(document, '_format_version') ?? undefined;
  if (version === undefined) refuse(walk, ['_format_version'], 'required field missing');
  else if (typeof version !== 'string') refuse(walk, ['_format_version'], 'expected a string');
  else if (!FORMATS.includes(version))
    refuse(walk, ['_format_version'], `expected one of: ${FORMATS.join(', ')}`, FORMATS);
  const types = [
    ['_transform', 'expected a boolean', (value: unknown) => typeof value === 'boolean'],
    ['_comment', 'expected a string', (value: unknown) => typeof value === 'string'],
    ['_ignore', 'expected an array', Array.isArray],
  ] as const;
  for (const [key, message, isRight] of types) {
    const value = own(document, key);
    if (value !== undefined && value !== null && !isRight(value)) refuse(walk, [key], message);
  }
  for (const key of Object.keys(document))
    if (!KEYS.has(key) && !isFull(walk)) refuse(walk, [key], 'unknown field', SUGGESTED_KEYS);
};

const checkList = (walk: Walk, kind: Kind, list: unknown, path: Path, parent: Draft['parent']): void => {
  if (list === null || list === undefined) return;
  if (!Array.isArray(list)) {
    if (isRecord(list) && Object.keys(list).length === 0) return; // Lua does not tell {} from []
    const violation = { path, message: 'expected an array', scope: 'field' } as const;
    walk.violations.push(parent === undefined ? violation : { ...violation, draft: parent.draft });
    return;
  }
  for (let index = 0; index < list.length; index += 1) {
    if (isFull(walk)) return;
    if (walk.drafts.length >= MAX_ENTITIES) {
      refuse(walk, path, `more than ${MAX_ENTITIES} entities in one document`);
      return;
    }
    checkItem(walk, kind, list[index], [...path, index], parent);
  }
};

type Child = readonly [kind: Kind, field: string];
const childrenByKind = new Map<Kind, readonly Child[]>();
/** The kinds that may be nested in one, with their field that refers back. */
const childrenOf = (kind: Kind): readonly Child[] => {
  const known = childrenByKind.get(kind);
  if (known !== undefined) return known;
  const found = Object.entries(requireSchema(kind).children) as [Kind, string][];
  childrenByKind.set(kind, found);
  return found;
};

const checkItem = (walk: Walk, kind: Kind, item: unknown, path: Path, parent: Draft['parent']): void => {
  const submitted = walk.migratePaths && kind === 'routes' ? migratePaths(item) : item;
  const { entity, findings } = checkEntity(
    kind,
    submitted,
    walk.catalog,
    parent === undefined ? AT_TOP : { given: [parent.field] },
  );
  const draft: Draft = { kind, path, parent, submitted: isRecord(item) ? item : {}, entity };
  if (findings.length > 0) refuseItem(walk, draft, findings);
  walk.drafts.push(draft);
  if (!isRecord(item)) return;
  const children = childrenOf(kind);
  for (let at = 0; at < children.length; at += 1) {
    const [child, field] = children[at] as Child;
    if (Object.hasOwn(item, child)) checkList(walk, child, item[child], [...path, child], { draft, field });
  }
};

const refuseItem = (walk: Walk, draft: Draft, findings: readonly Finding[]): void => {
  for (const { path: inside, message, candidates, whole } of findings)
    walk.violations.push({
      path: [...draft.path, ...inside],
      message: message.slice(0, MAX_MESSAGE),
      scope: whole ? 'whole' : inside.length === 0 ? 'entity' : 'field',
      ...(whole ? {} : { draft }),
      ...(candidates === undefined ? {} : { candidates }),
    });
};

/** Before 3.0 a path of other than plain characters was a regular expression by itself. */
const migratePaths = (route: unknown): unknown => {
  if (!isRecord(route) || !Array.isArray(route.paths)) return route;
  const paths = route.paths.map((path: unknown) => {
    if (typeof path !== 'string') return path;
    return /^[A-Za-z0-9._~/%-]*$/.test(path) ? plainPath(path) : `~${path}`;
  });
  return { ...route, paths };
};

const plainPath = (path: string): string => (path.startsWith('/') ? normalizePath(path) : path);

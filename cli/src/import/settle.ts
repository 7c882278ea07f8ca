/* The result is loaded as the registry would load it, until nothing in it is refused. */
import {
  type ConfigProblem,
  isRecord,
  loadConfig,
  type Path,
  type PluginCatalog,
} from '@sluice/gateway-config';
import { type Entity, type Item, itemAt, leaveOut, note } from './items.ts';
import type { ReportLine } from './report.ts';

const MAX_ROUNDS = 1000; // a round settles up to 100 problems
const SEE_FIELDS = 'the fields there are stand in docs/plugins.md';
const TYPED: Readonly<Record<string, (text: string) => unknown>> = {
  'expected an integer': Number,
  'expected a number': Number,
  'expected a boolean': (text) => (text === 'true' || text === 'false' ? text === 'true' : Number.NaN),
};

/** `routes[3].paths[0]` as steps. */
const stepsOf = (path: string): Path =>
  [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, key, index]) => key ?? Number(index));

const fieldOf = (inside: Path): string => inside.filter((step) => typeof step === 'string').join('.');

interface Place {
  readonly problem: ConfigProblem;
  readonly path: Path;
  readonly item: Item | undefined;
  readonly inside: Path;
}

/** Leaves out what is refused, with the reason; the document is then valid. */
export const settle = (
  document: Entity,
  items: readonly Item[],
  catalog: PluginCatalog,
): readonly ReportLine[] => {
  const lines: ReportLine[] = [];
  const byEntity = new Map<unknown, Item>(items.map((item) => [item.entity, item]));
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const loaded = loadConfig({ document }, catalog, { now: 0 });
    if (loaded.ok) return lines;
    // All places first: what is left out moves those behind it.
    const places = loaded.error.problems.map((problem): Place => {
      const path = stepsOf(problem.path);
      const found = itemAt(document, path, byEntity);
      return { problem, path, item: found?.item, inside: found?.inside ?? path };
    });
    for (const place of places) {
      if (place.item === undefined) lines.push(dropFromDocument(document, place));
      else settleOne(items, place.item, place);
    }
  }
  throw new Error('the result is not valid, and it is not clear why: please report the file’s shape');
};

const settleOne = (items: readonly Item[], item: Item, { problem, inside }: Place): void => {
  const field = fieldOf(inside);
  const { message, suggestion } = problem;
  if (convert(item, inside, message)) return;
  const said = item.notes.get(field);
  const reason = said?.isSecret ? 'the value is refused here' : message;
  if (message === 'unknown field' && remove(item.entity, inside)) {
    const remedy = suggestion === undefined ? SEE_FIELDS : `did you mean "${suggestion}"?`;
    note(item, field, { status: 'unsupported', reason: 'unknown field, left out of the result', remedy });
    return;
  }
  const why = said?.status === 'unsupported' ? said : { reason, remedy: 'mend it, then import again' };
  leaveOut(items, item, field === '' ? reason : `${field}: ${why.reason}`, why.remedy);
};

/** A value from the environment is text; where another type is wanted it becomes that. */
const convert = (item: Item, inside: Path, message: string): boolean => {
  const read = TYPED[message];
  const holder = inside.slice(0, -1).reduce<unknown>(valueAt, item.entity);
  const key = inside.at(-1);
  if (read === undefined || key === undefined || item.notes.get(fieldOf(inside))?.isSecret !== true)
    return false;
  const text = valueAt(holder, key);
  const value = typeof text === 'string' && text.trim() !== '' ? read(text) : Number.NaN;
  if (Number.isNaN(value)) return false;
  (holder as Record<string | number, unknown>)[key] = value;
  return true;
};

const valueAt = (value: unknown, step: string | number): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined;

const remove = (entity: Entity, inside: Path): boolean => {
  const holder = inside.slice(0, -1).reduce<unknown>(valueAt, entity);
  const key = inside.at(-1);
  if (!isRecord(holder) || key === undefined || !Object.hasOwn(holder, key)) return false;
  delete holder[key];
  return true;
};

const dropFromDocument = (document: Entity, { path, problem }: Place): ReportLine => {
  const [key = ''] = path;
  const wasThere = Object.hasOwn(document, key);
  if (!wasThere) throw new Error(`${problem.path}: ${problem.message}`);
  delete document[key];
  const reason = `${problem.message}; left out`;
  return { status: 'unsupported', collection: 'document', entity: '', field: String(key), reason };
};

import type { Path } from '../path.ts';
import type { Violation } from './violation.ts';

interface Node {
  text?: string;
  readonly list: string[];
  /** Messages about the entity, `@entity` in the body. */
  readonly entity: string[];
  readonly entries: Map<string | number, Node>;
}

const newNode = (): Node => ({ list: [], entity: [], entries: new Map() });

const nodeAt = (root: Node, path: Path): Node => {
  let node = root;
  for (const step of path) {
    const next = node.entries.get(step) ?? newNode();
    node.entries.set(step, next);
    node = next;
  }
  return node;
};

/** Kong's `fields` (kong-compat 1.5): the shape of the document, with messages where something is wrong. */
export const fieldsOf = (violations: readonly Violation[]): Record<string, unknown> => {
  const root = newNode();
  for (const { path, message, scope, shownAt } of violations) {
    if (path.at(-1) === '@entity') {
      nodeAt(root, path.slice(0, -1)).entity.push(message); // about a record inside the entity
      continue;
    }
    const node = nodeAt(root, shownAt?.path ?? path);
    if (shownAt?.as === 'list') node.list.push(message);
    else if (scope === 'entity') node.entity.push(message);
    else node.text ??= message; // the first message of a field is the one shown
  }
  return objectOf(root);
};

const render = (node: Node): unknown => {
  const { text, list, entity, entries } = node;
  if (entries.size === 0 && entity.length === 0) return list.length > 0 ? list : (text ?? '');
  const steps = [...entries.keys()];
  if (text === undefined && entity.length === 0 && steps.every((step) => typeof step === 'number'))
    return arrayOf(node, Math.max(...steps));
  return objectOf(node);
};

const arrayOf = ({ entries }: Node, last: number): unknown[] =>
  Array.from({ length: last + 1 }, (_, index) => {
    const entry = entries.get(index);
    return entry === undefined ? null : render(entry);
  });

/** Without a prototype, so that a submitted key such as `__proto__` is a key like any other. */
const objectOf = ({ text, entity, entries }: Node): Record<string, unknown> => {
  const object: Record<string, unknown> = Object.create(null);
  const messages = text === undefined ? entity : [text, ...entity];
  if (messages.length > 0) object['@entity'] = messages;
  for (const [step, entry] of entries)
    object[typeof step === 'number' ? `${step + 1}` : step] = render(entry);
  return object;
};

import { outranks, type RouteEntry } from './route-entries.ts';

/**
 * A radix tree over string prefixes (Kong's prefixes do not end at a slash). Plain paths stand at their whole
 * text, regexes at the literal text every match starts with, routes without paths at the root; so one walk
 * along the request path meets every entry that could match, and no other. Changing it costs the length of
 * the path, whatever the number of routes.
 */
export interface PrefixTree<T> {
  /** The part of the path between the parent and here. */
  label: string;
  /** Highest rank first; undefined at a mere branching point. */
  entries: RouteEntry<T>[] | undefined;
  /** By the first character code of their label. */
  kids: Map<number, PrefixTree<T>> | undefined;
}

export const newTree = <T>(label = ''): PrefixTree<T> => ({ label, entries: undefined, kids: undefined });

export const isEmptyTree = <T>(tree: PrefixTree<T>): boolean =>
  tree.entries === undefined && tree.kids === undefined;

/** Number of nodes below and with this one; walks all of them, for tests. */
export const countNodes = <T>(tree: PrefixTree<T>): number =>
  [...(tree.kids?.values() ?? [])].reduce((count, kid) => count + countNodes(kid), 1);

const commonLength = (label: string, text: string, from: number): number => {
  const end = Math.min(label.length, text.length - from);
  let length = 0;
  while (length < end && label.charCodeAt(length) === text.charCodeAt(from + length)) length += 1;
  return length;
};

export const insertEntry = <T>(root: PrefixTree<T>, entry: RouteEntry<T>): void => {
  const node = openNode(root, entry.prefix);
  if (node.entries === undefined) node.entries = [entry];
  else node.entries.splice(placeOf(node.entries, entry), 0, entry);
};

/** Binary search: the first entry that does not outrank the new one. */
const placeOf = <T>(entries: readonly RouteEntry<T>[], entry: RouteEntry<T>): number => {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = entries[middle];
    if (there !== undefined && outranks(there, entry)) low = middle + 1;
    else high = middle;
  }
  return low;
};

const openNode = <T>(root: PrefixTree<T>, text: string): PrefixTree<T> => {
  let node = root;
  for (let at = 0; at < text.length; ) {
    node.kids ??= new Map();
    const code = text.charCodeAt(at);
    let kid = node.kids.get(code);
    if (kid === undefined) {
      kid = newTree<T>(text.slice(at));
      node.kids.set(code, kid);
      return kid;
    }
    const common = commonLength(kid.label, text, at);
    if (common < kid.label.length) kid = split(node.kids, kid, common);
    at += common;
    node = kid;
  }
  return node;
};

/** Puts a node between `kid` and its parent, at `length` characters of its label. */
const split = <T>(
  siblings: Map<number, PrefixTree<T>>,
  kid: PrefixTree<T>,
  length: number,
): PrefixTree<T> => {
  const upper = newTree<T>(kid.label.slice(0, length));
  siblings.set(kid.label.charCodeAt(0), upper);
  kid.label = kid.label.slice(length);
  upper.kids = new Map([[kid.label.charCodeAt(0), kid]]);
  return upper;
};

/** Removes an entry that was inserted, and every node that only stood there for it. */
export const removeEntry = <T>(root: PrefixTree<T>, entry: RouteEntry<T>): void => {
  const way = [root];
  let node = root;
  for (let at = 0; at < entry.prefix.length; at += node.label.length) {
    const kid = node.kids?.get(entry.prefix.charCodeAt(at));
    if (kid === undefined) return;
    node = kid;
    way.push(node);
  }
  const place = node.entries?.indexOf(entry) ?? -1;
  if (place < 0) return;
  node.entries?.splice(place, 1);
  if (node.entries?.length === 0) node.entries = undefined;
  tidy(way);
};

const tidy = <T>(way: readonly PrefixTree<T>[]): void => {
  for (let depth = way.length - 1; depth > 0; depth -= 1) {
    const node = way[depth];
    const parent = way[depth - 1];
    if (node?.entries !== undefined || node === undefined || parent?.kids === undefined) return;
    const [only] = node.kids?.values() ?? [];
    if (only !== undefined && node.kids?.size !== 1) return;
    parent.kids.delete(node.label.charCodeAt(0));
    if (only !== undefined) {
      only.label = node.label + only.label;
      parent.kids.set(only.label.charCodeAt(0), only);
    }
    if (parent.kids.size === 0) parent.kids = undefined;
  }
};

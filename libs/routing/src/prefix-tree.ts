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
  /** Of the label's first character. */
  code: number;
  /** Highest rank first; undefined at a mere branching point. */
  entries: RouteEntry<T>[] | undefined;
  /** No two labels begin with the same character. A list while they are few: a tree has tens of thousands. */
  kids: PrefixTree<T>[] | Map<number, PrefixTree<T>> | undefined;
}

const MAX_LISTED = 16; // kids

export const newTree = <T>(label = ''): PrefixTree<T> => ({
  label,
  code: label.charCodeAt(0),
  entries: undefined,
  kids: undefined,
});

export const isEmptyTree = <T>(tree: PrefixTree<T>): boolean =>
  tree.entries === undefined && tree.kids === undefined;

/** Number of nodes below and with this one; walks all of them, for tests. */
export const countNodes = <T>(tree: PrefixTree<T>): number =>
  kidsOf(tree).reduce((count, kid) => count + countNodes(kid), 1);

const kidsOf = <T>({ kids }: PrefixTree<T>): PrefixTree<T>[] => [...(kids?.values() ?? [])];

/** The kid whose label begins with that character code. */
export const kidAt = <T>({ kids }: PrefixTree<T>, code: number): PrefixTree<T> | undefined => {
  if (kids === undefined) return undefined;
  if (!Array.isArray(kids)) return kids.get(code);
  for (let at = 0; at < kids.length; at += 1) {
    const kid = kids[at];
    if (kid?.code === code) return kid;
  }
  return undefined;
};

const addKid = <T>(node: PrefixTree<T>, kid: PrefixTree<T>): void => {
  if (node.kids === undefined) node.kids = [kid];
  else if (!Array.isArray(node.kids)) node.kids.set(kid.code, kid);
  else if (node.kids.length < MAX_LISTED) node.kids.push(kid);
  else node.kids = new Map([...node.kids, kid].map((one) => [one.code, one]));
};

/** In the place of a kid whose label begins alike. */
const replaceKid = <T>(node: PrefixTree<T>, old: PrefixTree<T>, kid: PrefixTree<T>): void => {
  if (Array.isArray(node.kids)) node.kids[node.kids.indexOf(old)] = kid;
  else node.kids?.set(kid.code, kid);
};

const removeKid = <T>(node: PrefixTree<T>, kid: PrefixTree<T>): void => {
  if (Array.isArray(node.kids)) node.kids.splice(node.kids.indexOf(kid), 1);
  else node.kids?.delete(kid.code);
  const left = Array.isArray(node.kids) ? node.kids.length : (node.kids?.size ?? 0);
  if (left === 0) node.kids = undefined;
};

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
    let kid = kidAt(node, text.charCodeAt(at));
    if (kid === undefined) {
      kid = newTree<T>(text.slice(at));
      addKid(node, kid);
      return kid;
    }
    const common = commonLength(kid.label, text, at);
    if (common < kid.label.length) kid = split(node, kid, common);
    at += common;
    node = kid;
  }
  return node;
};

/** Puts a node between `kid` and its parent, at `length` characters of its label. */
const split = <T>(parent: PrefixTree<T>, kid: PrefixTree<T>, length: number): PrefixTree<T> => {
  const upper = newTree<T>(kid.label.slice(0, length));
  replaceKid(parent, kid, upper);
  kid.label = kid.label.slice(length);
  kid.code = kid.label.charCodeAt(0);
  upper.kids = [kid];
  return upper;
};

/** Removes an entry that was inserted, and every node that only stood there for it. */
export const removeEntry = <T>(root: PrefixTree<T>, entry: RouteEntry<T>): void => {
  const way = [root];
  let node = root;
  for (let at = 0; at < entry.prefix.length; at += node.label.length) {
    const kid = kidAt(node, entry.prefix.charCodeAt(at));
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
    if (node === undefined || parent === undefined || node.entries !== undefined) return;
    const [only, ...others] = kidsOf(node);
    if (others.length > 0) return;
    if (only === undefined) {
      removeKid(parent, node);
      continue;
    }
    only.label = node.label + only.label;
    only.code = node.code;
    replaceKid(parent, node, only);
  }
};

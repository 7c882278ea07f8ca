import type { Route } from '@sluice/gateway-config';
import {
  countNodes,
  insertEntry,
  isEmptyTree,
  kidAt,
  newTree,
  type PrefixTree,
  removeEntry,
} from './prefix-tree.ts';
import {
  expandRoute,
  type HeaderCondition,
  type HostPattern,
  methodBit,
  outranks,
  type RouteEntry,
  type RouteMatch,
} from './route-entries.ts';

/** What a route is looked up by. */
export interface MatchRequest {
  readonly method: string;
  /** Lower-case, without port; empty when the request has none (HTTP/1.0). */
  readonly host: string;
  /** Port of the `Host` header, else the one the client connected to. */
  readonly port: number;
  /** Normalised, without query. */
  readonly path: string;
  /** Values of a header by its lower-case name. */
  readonly headers: (name: string) => readonly string[] | undefined;
  readonly scheme: 'http' | 'https';
  /** Server name of the TLS handshake. */
  readonly sni?: string | undefined;
}

/** A route that was read and can be filed without fail. */
export interface PreparedRoute<T> {
  readonly routeId: string;
  readonly entries: readonly RouteEntry<T>[];
}

/** One look-up under way: the request's method and the best entry so far. */
interface Search<T> {
  methodBit: number;
  entry: RouteEntry<T> | undefined;
  text: RegExpExecArray | undefined;
}

type Trees<T> = Map<string, PrefixTree<T>>;

/**
 * Kong's `traditional_compatible` order over an index that is changed route by route. Hosts pick the trees to
 * walk; in a tree only entries whose prefix the path has are seen, highest rank first, and an entry is tested
 * only if it would beat the best found so far.
 */
export class Router<T> {
  readonly #entries = new Map<string, readonly RouteEntry<T>[]>();
  readonly #hosts: Readonly<Record<HostPattern['kind'], Trees<T>>> = {
    any: new Map(),
    exact: new Map(),
    suffix: new Map(),
    prefix: new Map(),
  };
  #anyHost: PrefixTree<T> | undefined;
  /** Of the headers that entries ask for: how many do. */
  readonly #headers = new Map<string, number>();
  /** Reused by every look-up: a hit without regex allocates nothing. */
  readonly #search: Search<T> = { methodBit: 0, entry: undefined, text: undefined };

  /** Number of routes. */
  get size(): number {
    return this.#entries.size;
  }

  /** The headers that some route is matched by, in lower case. */
  get headerNames(): readonly string[] {
    return [...this.#headers.keys()];
  }

  /** Reads a route and changes nothing. Throws an Error that names route and field when it cannot be used. */
  prepareUpsert(route: Route, value: T): PreparedRoute<T> {
    return { routeId: route.id, entries: expandRoute(route, value) };
  }

  /** Files what was prepared, in place of what the route had before. Never throws. */
  commitUpsert({ routeId, entries }: PreparedRoute<T>): void {
    const before = this.#entries.get(routeId);
    this.#entries.set(routeId, entries);
    for (let at = 0; at < entries.length; at += 1) {
      const entry = entries[at] as RouteEntry<T>;
      const trees = this.#hosts[entry.host.kind];
      let tree = trees.get(entry.host.text);
      if (tree === undefined) {
        tree = newTree<T>();
        trees.set(entry.host.text, tree);
      }
      insertEntry(tree, entry);
      if (entry.headers !== undefined) this.#countHeaders(entry.headers, 1);
    }
    // Only now: a Map in which one key is deleted and set again and again becomes slow in V8.
    if (before !== undefined) this.#takeOut(before);
    else this.#anyHost = this.#hosts.any.get('');
  }

  /** What was filed for a route, for another router; undefined when it is not filed here. */
  prepared(routeId: string): PreparedRoute<T> | undefined {
    const entries = this.#entries.get(routeId);
    return entries && { routeId, entries };
  }

  upsert(route: Route, value: T): void {
    this.commitUpsert(this.prepareUpsert(route, value));
  }

  remove(routeId: string): void {
    this.#takeOut(this.#entries.get(routeId) ?? []);
    this.#entries.delete(routeId);
  }

  #takeOut(entries: readonly RouteEntry<T>[]): void {
    for (const entry of entries) {
      const trees = this.#hosts[entry.host.kind];
      const tree = trees.get(entry.host.text);
      if (tree === undefined) continue;
      removeEntry(tree, entry);
      if (entry.headers !== undefined) this.#countHeaders(entry.headers, -1);
      if (isEmptyTree(tree)) trees.delete(entry.host.text);
    }
    this.#anyHost = this.#hosts.any.get('');
  }

  #countHeaders(conditions: readonly HeaderCondition[], by: 1 | -1): void {
    for (const { name } of conditions) {
      const count = (this.#headers.get(name) ?? 0) + by;
      if (count === 0) this.#headers.delete(name);
      else this.#headers.set(name, count);
    }
  }

  match(request: MatchRequest): RouteMatch<T> | undefined {
    const search = begun(this.#search, request);
    const exact = this.#hosts.exact.get(request.host);
    if (exact !== undefined) walk(exact, request, search);
    if (this.#hosts.suffix.size + this.#hosts.prefix.size > 0) this.#walkWildcards(request, search);
    if (this.#anyHost !== undefined) walk(this.#anyHost, request, search);
    const { entry, text } = search;
    return entry === undefined || text === undefined ? entry : withText(entry, text);
  }

  /** Sizes of the index; walks all of it, for tests and diagnosis. */
  census(): { readonly routes: number; readonly hosts: number; readonly nodes: number } {
    const trees = Object.values(this.#hosts).flatMap((byText) => [...byText.values()]);
    const nodes = trees.reduce((count, tree) => count + countNodes(tree), 0);
    return { routes: this.size, hosts: trees.length, nodes };
  }

  #walkWildcards(request: MatchRequest, search: Search<T>): void {
    const { suffix, prefix } = this.#hosts;
    const { host } = request;
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const ending = suffix.size === 0 ? undefined : suffix.get(host.slice(dot));
      if (ending !== undefined) walk(ending, request, search);
      const beginning = prefix.size === 0 ? undefined : prefix.get(host.slice(0, dot + 1));
      if (beginning !== undefined) walk(beginning, request, search);
    }
  }
}

const begun = <T>(search: Search<T>, request: MatchRequest): Search<T> => {
  search.methodBit = methodBit(request.method);
  search.entry = undefined;
  search.text = undefined;
  return search;
};

const walk = <T>(root: PrefixTree<T>, request: MatchRequest, search: Search<T>): void => {
  const { path } = request;
  let node: PrefixTree<T> | undefined = root;
  let at = 0;
  while (node !== undefined) {
    const { label, entries } = node;
    if (label.length > path.length - at) return;
    // The first character is the one the node was found by.
    for (let i = 1; i < label.length; i++) if (label.charCodeAt(i) !== path.charCodeAt(at + i)) return;
    at += label.length;
    if (entries !== undefined) tryEntries(entries, request, search);
    if (at === path.length) return;
    node = kidAt(node, path.charCodeAt(at));
  }
};

const tryEntries = <T>(entries: readonly RouteEntry<T>[], request: MatchRequest, search: Search<T>): void => {
  for (const entry of entries) {
    if (search.entry !== undefined && !outranks(entry, search.entry)) return;
    if ((entry.methodBits & search.methodBit) === 0) continue;
    if (entry.isConditional && !acceptsConditions(entry, request)) continue;
    if (entry.regex === undefined) {
      search.text = undefined;
    } else {
      const text = entry.regex.exec(request.path);
      if (text === null) continue;
      search.text = text;
    }
    search.entry = entry;
    return;
  }
};

const acceptsConditions = <T>(entry: RouteEntry<T>, request: MatchRequest): boolean => {
  const { methods, headers, snis } = entry;
  const { port } = entry.host;
  if (methods !== undefined && !methods.includes(request.method)) return false;
  if (port !== undefined && port !== request.port) return false;
  if (snis !== undefined && request.scheme === 'https' && !snis.some((sni) => acceptsSni(sni, request.sni)))
    return false;
  if (headers === undefined) return true;
  for (const header of headers) if (!acceptsHeader(header, request.headers(header.name))) return false;
  return true;
};

const acceptsSni = ({ kind, text }: HostPattern, sni: string | undefined): boolean => {
  const name = sni?.toLowerCase();
  if (name === undefined) return false;
  if (kind === 'suffix') return name.endsWith(text);
  return kind === 'prefix' ? name.startsWith(text) : name === text;
};

const acceptsHeader = ({ values, regexes }: HeaderCondition, sent: readonly string[] | undefined): boolean =>
  sent?.some((raw) => {
    const value = raw.toLowerCase();
    return values.includes(value) || regexes.some((regex) => regex.test(value));
  }) ?? false;

const withText = <T>({ value, hasCaptures }: RouteEntry<T>, text: RegExpExecArray): RouteMatch<T> => {
  if (!hasCaptures) return { value, matchedPath: text[0], captures: undefined };
  // No prototype: a group may be called `constructor`.
  const captures: Record<string, string> = Object.create(null);
  for (let i = 1; i < text.length; i++) if (text[i] !== undefined) captures[i] = text[i] ?? '';
  for (const [name, part] of Object.entries(text.groups ?? {})) if (part !== undefined) captures[name] = part;
  return { value, matchedPath: text[0], captures };
};

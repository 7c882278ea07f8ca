import { escapePath } from './normalise-path.ts';

export interface UpstreamPathInput {
  /** `path` of the service. */
  readonly servicePath: string | null;
  readonly stripPath: boolean;
  /** What the route's path matched; undefined when the route has no paths. */
  readonly matchedPath: string | undefined;
  /** The normalised path of the request. */
  readonly path: string;
}

export interface UpstreamPath {
  /** Escaped, without query. */
  readonly path: string;
  /** `X-Forwarded-Prefix`; undefined when nothing but `/` was stripped. */
  readonly strippedPrefix: string | undefined;
}

/** A leftover must not climb, also not where the upstream reads `%2F` as a slash. */
const CLIMBING = /^\.{1,2}(?:\/|%2F|$)/;

/** Where a request goes on its service: Kong's `path_handling` v0 (v1 is treated as v0, as in Kong). */
export const upstreamPath = ({
  servicePath,
  stripPath,
  matchedPath,
  path,
}: UpstreamPathInput): UpstreamPath => {
  const base = servicePath ?? '/';
  if (!stripPath) return { path: escapePath(joinWhole(base, path)), strippedPrefix: undefined };
  const leftover = path.slice(matchedPath?.length ?? 1).replace(CLIMBING, '');
  const isPrefix = matchedPath !== undefined && matchedPath !== '' && matchedPath !== '/';
  return {
    path: escapePath(leftover === '' ? joinNothing(base, path) : joinLeftover(base, leftover)),
    strippedPrefix: isPrefix ? escapePath(matchedPath) : undefined,
  };
};

const joinWhole = (base: string, path: string): string => {
  if (base.endsWith('/')) return base + path.slice(1);
  return path === '/' ? base : base + path;
};

const joinLeftover = (base: string, leftover: string): string => {
  const withoutSlash = base.endsWith('/') ? base.slice(0, -1) : base;
  return leftover.startsWith('/') ? withoutSlash + leftover : `${withoutSlash}/${leftover}`;
};

/** Everything was stripped: the upstream path ends with a slash exactly when the request's did. */
const joinNothing = (base: string, path: string): string => {
  if (base === '/') return '/';
  if (base.endsWith('/')) return path.endsWith('/') ? base : base.slice(0, -1);
  return path.length > 1 && path.endsWith('/') ? `${base}/` : base;
};

/** Appends a query verbatim; an empty one keeps its bare `?`. */
export const withQuery = (path: string, query: string | undefined): string =>
  query === undefined ? path : `${path}?${query}`;

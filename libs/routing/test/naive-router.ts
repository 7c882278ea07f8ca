import type { Route } from '@sluice/gateway-config';
import type { MatchRequest } from '../src/router.ts';

/** Kong's rules told in the slowest way: every route, every path, compared field by field. */
export const naiveMatch = (routes: Iterable<Route>, request: MatchRequest) => {
  const candidates = [...routes].flatMap((route) =>
    (route.paths ?? [undefined])
      .map((path, order) => ({ route, path, order, matchedPath: matchPath(path, request.path) }))
      .filter(({ path, matchedPath }) => path === undefined || matchedPath !== undefined)
      .filter(() => acceptsRest(route, request)),
  );
  candidates.sort((a, b) => compare(rank(b.route, b.path), rank(a.route, a.path)) || a.order - b.order);
  const [best] = candidates;
  return best && { id: best.route.id, matchedPath: best.matchedPath };
};

const matchPath = (path: string | undefined, asked: string): string | undefined => {
  if (path?.startsWith('~')) return new RegExp(`^(?:${path.slice(1)})`).exec(asked)?.[0];
  return path !== undefined && asked.startsWith(path) ? path : undefined;
};

const acceptsRest = (route: Route, request: MatchRequest): boolean =>
  (route.methods?.includes(request.method) ?? true) &&
  (route.hosts?.some((host) => acceptsHost(host, request)) ?? true) &&
  (request.scheme === 'http' || (route.snis?.includes(request.sni ?? '') ?? true)) &&
  Object.entries(route.headers ?? {}).every(([name, values]) =>
    request.headers(name.toLowerCase())?.some((sent) => values.some((value) => acceptsValue(value, sent))),
  );

const acceptsHost = (pattern: string, { host, port }: MatchRequest): boolean => {
  const [name = '', digits] = pattern.split(':');
  if (digits !== undefined && Number(digits) !== port) return false;
  if (name.startsWith('*')) return host.endsWith(name.slice(1));
  return name.endsWith('*') ? host.startsWith(name.slice(0, -1)) : host === name;
};

const acceptsValue = (value: string, sent: string): boolean =>
  value.startsWith('~*')
    ? new RegExp(value.slice(2), 'i').test(sent)
    : value.toLowerCase() === sent.toLowerCase();

const rank = (route: Route, path: string | undefined): (number | string)[] => {
  const isRegex = path?.startsWith('~') ?? false;
  const headers = Object.keys(route.headers ?? {}).length;
  return [
    [route.methods, route.hosts, route.headers, route.snis, route.paths].filter((set) => set !== null).length,
    route.hosts?.every((host) => !host.includes('*')) ? 1 : 0,
    headers,
    isRegex ? 1 : 0,
    isRegex ? route.regex_priority : 0,
    isRegex ? 0 : (path?.length ?? 0),
    route.id,
  ];
};

const compare = (a: readonly (number | string)[], b: readonly (number | string)[]): number => {
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    if (x !== y) return x > y ? 1 : -1;
  }
  return 0;
};

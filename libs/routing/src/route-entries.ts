import type { Route } from '@sluice/gateway-config';
import { compileHeaderRegex, compilePathRegex } from '@sluice/plugins';
import { escapePath, normalisePath } from './normalise-path.ts';

/** What a look-up answers. */
export interface RouteMatch<T> {
  readonly value: T;
  /** The prefix, or the text the regex matched; undefined for a route without paths. */
  readonly matchedPath: string | undefined;
  /** Captures of a regex path, by name and by number from `1`; undefined when it has none. */
  readonly captures: Readonly<Record<string, string>> | undefined;
}

export interface HostPattern {
  readonly kind: 'any' | 'exact' | 'suffix' | 'prefix';
  /** Lower-case: the host, `.x.com` of `*.x.com`, `x.` of `x.*`; empty for `any`. */
  readonly text: string;
  readonly port: number | undefined;
}

export interface HeaderCondition {
  readonly name: string;
  /** In lower case; one of them, or one of the regexes, must match one value of the request. */
  readonly values: readonly string[];
  readonly regexes: readonly RegExp[];
}

/** One host with one path of a route: what is filed and ranked; without regex also the answer itself. */
export interface RouteEntry<T> extends RouteMatch<T> {
  readonly routeId: string;
  /** Kong's 64-bit number, without the bits that Kong leaves empty. */
  readonly priority: number;
  /** Place of the path in its route: of several regexes that match, the first one is taken. */
  readonly order: number;
  readonly host: HostPattern;
  /** The path must start with it; empty for a route without paths. */
  readonly prefix: string;
  readonly regex: RegExp | undefined;
  readonly hasCaptures: boolean;
  /** Union of `methodBit`; -1 for a route that takes every method. */
  readonly methodBits: number;
  /** More than a look at `methodBits` is needed before the path. */
  readonly isConditional: boolean;
  readonly methods: readonly string[] | undefined;
  readonly headers: readonly HeaderCondition[] | undefined;
  readonly snis: readonly HostPattern[] | undefined;
}

const HTTP_PROTOCOLS = ['http', 'https', 'grpc', 'grpcs'];
const ANY_HOSTS: readonly HostPattern[] = [{ kind: 'any', text: '', port: undefined }];
const NO_PATH: readonly undefined[] = [undefined];
const MAX_HEADERS = 255;
const MAX_PREFIX_BYTES = 0x7_ff_ff; // 19 bits
const REGEX_PRIORITY_OFFSET = 2 ** 31; // regex_priority may be negative

const STANDARD_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT'];
const OTHER_METHOD = 1 << STANDARD_METHODS.length;
const BITS = new Map(STANDARD_METHODS.map((method, place) => [method, 1 << place]));

/** One bit a method; all that are not in RFC 9110 and 5789 share one. */
export const methodBit = (method: string): number => BITS.get(method) ?? OTHER_METHOD;

const setOrUndefined = <E>(list: readonly E[] | null | undefined): readonly E[] | undefined => {
  if (list === null || list === undefined || list.length === 0) return undefined;
  const isSet = list.length === 1 || (list.length === 2 && list[0] !== list[1]);
  return isSet ? list : [...new Set(list)];
};

const pathsOf = ({ paths }: Route): readonly (string | undefined)[] => {
  if (paths === null) return NO_PATH;
  const isPlain = !paths.some((path) => path.includes('%'));
  return setOrUndefined(isPlain ? paths : paths.map(asMatched)) ?? NO_PATH;
};

const hostsOf = (route: Route): readonly HostPattern[] =>
  setOrUndefined(route.hosts)?.map((host) => readHost(route, 'hosts', host)) ?? ANY_HOSTS;

/**
 * The entries of a route, none for a route of the stream protocols. Throws an Error that names the field when
 * a host or a regex cannot be read.
 */
export const expandRoute = <T>(route: Route, value: T): RouteEntry<T>[] => {
  if (!route.protocols.some((protocol) => HTTP_PROTOCOLS.includes(protocol))) return [];
  const hosts = hostsOf(route);
  const paths = pathsOf(route);
  const methods = setOrUndefined(route.methods);
  const headers = readHeaders(route);
  const snis = setOrUndefined(route.snis)?.map((sni) => readHost(route, 'snis', sni));
  const methodBits = methods?.reduce((bits, method) => bits | methodBit(method), 0) ?? -1;
  const isConditional = headers !== undefined || snis !== undefined || hasOtherMethod(methods);
  const rank = rankOf(route);
  // As long as it gets, and loops that count: with 10,000 routes, lists that grow and `for … of` in code that is not
  // compiled yet are half the work, and so is spreading what the entries share.
  const entries = new Array<RouteEntry<T>>(paths.length * hosts.length);
  for (let order = 0; order < paths.length; order += 1) {
    const path = paths[order];
    const regex = path?.startsWith('~') === true ? readRegex(route, path) : undefined;
    const priority = priorityWith(rank, route, path);
    for (let place = 0; place < hosts.length; place += 1) {
      const host = hosts[place] as HostPattern;
      entries[order * hosts.length + place] = {
        value,
        matchedPath: regex === undefined ? path : undefined,
        captures: undefined,
        routeId: route.id,
        priority,
        order,
        host,
        prefix: regex === undefined ? (path ?? '') : regex.literalPrefix,
        regex: regex?.regex,
        hasCaptures: regex?.hasCaptures ?? false,
        methodBits,
        isConditional: isConditional || host.port !== undefined,
        methods,
        headers,
        snis,
      };
    }
  }
  return entries;
};

const hasOtherMethod = (methods: readonly string[] | undefined): boolean =>
  methods?.some((method) => methodBit(method) === OTHER_METHOD) ?? false;

/** `a` is tried before `b`: higher priority, then the larger route id. */
export const outranks = <T>(a: RouteEntry<T>, b: RouteEntry<T>): boolean => {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.routeId !== b.routeId) return a.routeId > b.routeId;
  return a.order < b.order;
};

/**
 * Kong's priority of one path of a route, as one whole number: kinds of attributes, plain hosts only, number
 * of headers, regex, then regex_priority or the bytes of the prefix.
 */
export const priorityOf = (route: Route, path: string | undefined): number =>
  priorityWith(rankOf(route), route, path);

const isGiven = (list: readonly string[] | null): number => Number((list?.length ?? 0) > 0);

/** The part of the priority that all paths of a route have. */
const rankOf = (route: Route): number => {
  const headers = route.headers === null ? 0 : Object.keys(route.headers).length;
  const hosts = route.hosts ?? [];
  const kinds =
    isGiven(route.methods) +
    isGiven(route.hosts) +
    isGiven(route.snis) +
    isGiven(route.paths) +
    Number(headers > 0);
  const isPlainHost = hosts.length > 0 && !hosts.some((host) => host.includes('*'));
  return (kinds * 2 + Number(isPlainHost)) * (MAX_HEADERS + 1) + Math.min(headers, MAX_HEADERS);
};

const priorityWith = (rank: number, route: Route, path: string | undefined): number => {
  const isRegex = path?.startsWith('~') ?? false;
  const rest = isRegex
    ? Math.min(Math.max(route.regex_priority + REGEX_PRIORITY_OFFSET, 0), 2 ** 32 - 1)
    : Math.min(Buffer.byteLength(path ?? ''), MAX_PREFIX_BYTES);
  return (rank * 2 + Number(isRegex)) * 2 ** 32 + rest;
};

const blame = (route: Route, field: string, text: string, problem: string): Error =>
  new Error(`route '${route.name ?? route.id}': ${field}: '${text}' cannot be used: ${problem}`);

const compileFor = <C>(route: Route, field: string, text: string, compile: () => C): C => {
  try {
    return compile();
  } catch (error) {
    throw blame(route, field, text, (error as Error).message);
  }
};

/** A plain path in the form that request paths have when they are matched: a stored `%C3%A9` is an é there. */
const asMatched = (path: string): string =>
  /^\/[^?#]*%[^?#]*$/.test(path) ? (normalisePath(escapePath(path))?.path ?? path) : path;

const readRegex = (route: Route, path: string) =>
  compileFor(route, 'paths', path, () => compilePathRegex(path.slice(1)));

const readHost = (route: Route, field: string, text: string): HostPattern => {
  // A dot at the end of a full name counts for nothing, neither here nor in a request.
  const [, name, digits] = /^(\[[^\]]*\]|[^:]+?)\.?(?::(\d+))?$/.exec(text.toLowerCase()) ?? [];
  if (name === undefined) throw blame(route, field, text, 'write a host name, with or without a port');
  const port = digits === undefined ? undefined : Number(digits);
  if (!name.includes('*')) return { kind: 'exact', text: name, port };
  const plain = name.replace(/^\*(?=\.)|(?<=\.)\*$/, '');
  if (plain.includes('*'))
    throw blame(route, field, text, "'*' must be the whole first or the whole last label");
  return { kind: name.startsWith('*') ? 'suffix' : 'prefix', text: plain, port };
};

const readHeaders = (route: Route): readonly HeaderCondition[] | undefined => {
  if (route.headers === null) return undefined;
  const entries = Object.entries(route.headers);
  if (entries.length === 0) return undefined;
  return entries.map(([name, values]) => {
    const compile = (value: string) =>
      compileFor(route, `headers.${name}`, value, () => compileHeaderRegex(value.slice(2)));
    return {
      name: name.toLowerCase(),
      values: values.filter((value) => !value.startsWith('~*')).map((value) => value.toLowerCase()),
      regexes: values.filter((value) => value.startsWith('~*')).map(compile),
    };
  });
};

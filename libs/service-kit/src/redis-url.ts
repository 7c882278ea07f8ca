/** One server of a Redis installation. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface Common {
  readonly nodes: readonly RedisNode[];
  readonly isTls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Where Redis is: one server, the sentinels that know which one it is, or the nodes of a cluster. */
export type RedisPlace =
  | { readonly kind: 'single'; readonly url: string }
  | (Common & { readonly kind: 'sentinel'; readonly name: string; readonly db: number })
  | (Common & { readonly kind: 'cluster' });

const SEVERAL =
  /^(?<scheme>rediss?)\+(?<kind>sentinel|cluster):\/\/(?:(?<login>[^@/]*)@)?(?<nodes>[^/@]+)(?:\/(?<name>[^/]*))?(?:\/(?<db>\d+))?\/?$/;
const DEFAULT_PORTS = { sentinel: 26_379, cluster: 6379 } as const;

/**
 * Reads `redis://host:port/db`, `redis+sentinel://login@host:port,host:port/name/db` and
 * `redis+cluster://login@host:port,host:port`; `rediss` for TLS.
 * @throws Error saying what is wrong and what is right, without the URL, which may hold a password.
 */
export const parseRedisUrl = (url: string): RedisPlace => {
  if (!/^rediss?\+/.test(url)) return { kind: 'single', url };
  const found = SEVERAL.exec(url)?.groups;
  if (found === undefined)
    throw new Error(
      'REDIS_URL is not usable: write redis+sentinel://host:port,host:port/name or redis+cluster://host:port,host:port',
    );
  const kind = found.kind as 'sentinel' | 'cluster';
  const [username, password] = loginOf(found.login);
  const nodes = (found.nodes ?? '').split(',').map((node) => nodeOf(node, DEFAULT_PORTS[kind]));
  const common = { nodes, isTls: found.scheme === 'rediss', username, password };
  if (kind === 'cluster') return { ...common, kind };
  if (!found.name)
    throw new Error(
      'REDIS_URL names no primary: write redis+sentinel://host:port/name, as in the sentinels’ configuration',
    );
  return { ...common, kind, name: decodeURIComponent(found.name), db: Number(found.db ?? 0) };
};

/** What of it may be shown: hosts and ports, no login. */
export const redisAddress = (url: string): string => {
  const place = parseRedisUrl(url);
  if (place.kind === 'single') return new URL(url).host;
  const hosts = place.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  return place.kind === 'sentinel' ? `${place.name} by ${hosts}` : `cluster ${hosts}`;
};

const loginOf = (login: string | undefined): [string | undefined, string | undefined] => {
  if (login === undefined) return [undefined, undefined];
  const colon = login.indexOf(':');
  const parts = colon === -1 ? ['', login] : [login.slice(0, colon), login.slice(colon + 1)];
  const [username, password] = parts.map((part) => (part === '' ? undefined : decodeURIComponent(part)));
  return [username, password];
};

const nodeOf = (text: string, defaultPort: number): RedisNode => {
  const { hostname, port } = new URL(`redis://${text.trim()}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) };
};

import { isIP, isIPv4 } from 'node:net';
import { checkPattern } from '../pattern.ts';
import { array, type Field, integer, set, string } from './field.ts';

/** Protocols of HTTP, which every plugin may be for. */
export const HTTP_PROTOCOLS = ['grpc', 'grpcs', 'http', 'https'] as const;
const STREAM_PROTOCOLS = ['tcp', 'tls', 'tls_passthrough', 'udp'] as const;
export const PROTOCOLS = [...HTTP_PROTOCOLS, ...STREAM_PROTOCOLS] as const;
/** A protocol that has no requests. */
export const isStreamProtocol = (protocol: string): boolean =>
  (STREAM_PROTOCOLS as readonly string[]).includes(protocol);

const matches =
  (pattern: RegExp, message: (value: string) => string) =>
  (value: string): string | undefined =>
    pattern.test(value) ? undefined : message(value);

const NAME = /^(?:[A-Za-z0-9._~-]|[^\0-\x7f])+$/u;

/** ASCII letters, digits and `. - _ ~`, or anything beyond ASCII. */
export const isName = (text: string): boolean => NAME.test(text);

export const nameField = (rules: { required?: boolean } = {}): Field =>
  string({
    ...rules,
    check: matches(
      NAME,
      (value) =>
        `invalid value '${value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~`,
    ),
  });

const tag = string({
  check: matches(
    /^(?:[ -+\--.0-~]|[^\0-\x7f])+$/u,
    (value) =>
      `invalid tag '${value}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`,
  ),
});

/** The fields that come first in every entity, and those that come last. */
export const idField: Field = { type: 'string', uuid: true };
export const tagsField: Field = set(tag);
export const timeField: Field = integer();

/** Milliseconds. */
export const timeoutField = integer({ default: 60_000, between: [1, 2_147_483_646] });
export const portField = integer({ default: 80, between: [0, 65_535] });

export const headerName = string({
  check: matches(
    /^[A-Za-z0-9_-]+$/,
    (value) => `bad header name '${value}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`,
  ),
});

const HOSTNAME = /^(?!\.)(?!.*\.\.)[A-Za-z0-9._-]{1,253}$/;

interface Address {
  readonly kind: 'name' | 'ipv4' | 'ipv6';
  readonly host: string;
  readonly port: number | undefined;
}

/** Splits `host[:port]`, where an IPv6 address with a port stands in brackets; undefined: neither name nor IP. */
export const readAddress = (value: string): Address | undefined => {
  if (value.includes(':') && isIP(value) === 6) return { kind: 'ipv6', host: value, port: undefined };
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(value);
  if (match === null) return undefined;
  const [, bracketed, bare, digits] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && port > 65_535) return undefined;
  if (bracketed !== undefined)
    return isIP(bracketed) === 6 ? { kind: 'ipv6', host: bracketed, port } : undefined;
  const host = bare ?? '';
  if (isIPv4(host)) return { kind: 'ipv4', host, port };
  return HOSTNAME.test(host) ? { kind: 'name', host, port } : undefined;
};

export const checkHost = (value: string): string | undefined => {
  const address = readAddress(value);
  if (address === undefined) return `invalid value: ${value}`;
  return address.port === undefined ? undefined : 'must not have a port';
};

const MISPLACED = 'invalid wildcard: must be placed at leftmost or rightmost label';

/** `host`, `host:port`, `*.host` or `host.*`. */
export const checkWildcardHost = (value: string): string | undefined => {
  if (!value.includes('*')) return readAddress(value) === undefined ? `invalid value: ${value}` : undefined;
  const stars = value.split('*').length - 1;
  if (stars > 1) return 'invalid wildcard: must have at most one wildcard';
  if (!/^\*\.[^*]+$|^[^*]+\.\*(?::[0-9]+)?$/.test(value)) return MISPLACED;
  return readAddress(value.replace('*', 'abc')) === undefined ? `invalid value: ${value}` : undefined;
};

const badEscape = (path: string): string | undefined => {
  if (!path.includes('%')) return undefined;
  const at = path.replace(/%[0-9A-Fa-f]{2}/g, '___').search(/%/);
  return at === -1 ? undefined : `invalid url-encoded value: '${path.slice(at, at + 3)}'`;
};

/** A fixed path, such as a service's. */
export const checkPath = (value: string): string | undefined => {
  if (!value.startsWith('/')) return 'should start with: /';
  if (value.includes('//')) return 'must not have empty segments';
  return badEscape(value);
};

/** A route's path: `/prefix` in normal form, or `~/regex`. */
export const checkRoutePath = (value: string): string | undefined => {
  if (!value.startsWith('/') && !value.startsWith('~/'))
    return 'should start with: / (fixed path) or ~/ (regex path)';
  if (value.includes('//')) return 'must not have empty segments';
  if (value.startsWith('~')) {
    const problem = checkPattern(value.slice(1));
    return problem && `invalid regex: '${value.slice(1)}' (PCRE returned: ${problem})`;
  }
  const normal = normalizePath(value);
  return (
    badEscape(value) ??
    (normal === value ? undefined : `non-normalized path, consider use '${normal}' instead`)
  );
};

const RESERVED = new Set("!*'();:@&=+$,/?%#[]");

const decodeTriplets = (path: string): string =>
  path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
    return [...bytes.toString('latin1')].some((char) => char > '\x7f')
      ? run.toUpperCase() // beyond ASCII: left encoded, hexadecimal digits in upper case
      : [...bytes.toString('latin1')]
          .map((char) =>
            RESERVED.has(char) || char <= ' ' || char === '\x7f'
              ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
              : char,
          )
          .join('');
  });

/** Anything that could make a path differ from its normal form: triplets, empty segments, dot segments. */
const MAYBE_NOT_NORMAL = /%|\/\/|\/\./;

/** Kong's normal form of a path (kong-compat 2.2): unreserved triplets decoded, dot segments resolved. */
export const normalizePath = (path: string): string => {
  if (path.startsWith('/') && !MAYBE_NOT_NORMAL.test(path)) return path;
  const segments: string[] = [];
  const parts = decodeTriplets(path)
    .replace(/\/{2,}/g, '/')
    .split('/')
    .slice(1);
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    if (part === '..') segments.pop();
    if (part !== '.' && part !== '..') segments.push(part);
    else if (last) segments.push('');
  }
  return `/${segments.join('/')}`;
};

const EXCLUSIVE = [['http', 'https'], ['tcp', 'tls', 'udp'], ['tls_passthrough'], ['grpc', 'grpcs']] as const;

const checkExclusive = (protocols: readonly string[]): string | undefined => {
  const found = EXCLUSIVE.filter((group) => group.some((protocol) => protocols.includes(protocol)));
  if (found.length <= 1) return undefined;
  const shown = found.map((group) => `(${group.map((name) => `'${name}'`).join(', ')})`).join(', ');
  return `these sets are mutually exclusive: ${shown}`;
};

export const routeProtocols: Field = {
  ...set(string({ oneOf: PROTOCOLS }), { default: ['http', 'https'], lengthMin: 1 }),
  check: checkExclusive,
};

export const hostList = array(string({ check: checkWildcardHost }));

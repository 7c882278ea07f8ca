import type { Chain } from '@sluice/routing';

import { withoutLogin } from './logged-path.ts';

const REDACTED = 'REDACTED';
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-gateway-identity'];
/** Where keys and tokens travel by custom, whatever the plugins say. */
const SECRET_NAMES = ['apikey', 'api-key', 'api_key', 'x-api-key', 'jwt', 'access_token', 'token'];

const namesIn = (config: unknown): readonly string[] =>
  Array.isArray(config) ? config.filter((name) => typeof name === 'string') : [];

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text; // not encoded at all
  }
};

/** Takes credentials out of what is logged. */
export interface Redaction {
  /** By the lower-case name of a header. */
  readonly isSecretHeader: (name: string) => boolean;
  /** The query without its secret arguments, all others as they are. */
  readonly withoutSecrets: (query: string) => string;
  /** `headers` by lower-case name. */
  headers(headers: Record<string, string | string[]>): Record<string, string | string[]>;
  /** A request target without a login; its query arguments keep their names. */
  target(target: string): string;
  query(query: string): Record<string, string | true | (string | true)[]>;
}

/** What is secret in the requests of a chain: credentials by custom, and where its plugins look for them. */
export const redactionFor = (chain: Chain | undefined): Redaction => {
  const names = new Set(
    [
      ...SECRET_NAMES,
      ...namesIn(chain?.configOf('key-auth')?.key_names),
      ...namesIn(chain?.configOf('jwt')?.uri_param_names),
      ...namesIn(chain?.configOf('jwt')?.header_names),
    ].map((name) => name.toLowerCase()),
  );
  const isSecretHeader = (name: string): boolean => SECRET_HEADERS.includes(name) || names.has(name);
  const isSecretArg = (arg: string): boolean =>
    arg.includes('=') && names.has(decoded(arg.slice(0, arg.indexOf('='))).toLowerCase());
  const redactArg = (arg: string): string =>
    isSecretArg(arg) ? `${arg.slice(0, arg.indexOf('='))}=${REDACTED}` : arg;
  const redactQuery = (query: string): string => query.split('&').map(redactArg).join('&');
  return {
    isSecretHeader,
    withoutSecrets: (query) =>
      query
        .split('&')
        .filter((arg) => !isSecretArg(arg))
        .join('&'),
    headers: (headers) =>
      Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, isSecretHeader(name) ? REDACTED : value]),
      ),
    target: (target) => {
      const at = target.indexOf('?');
      if (at < 0) return withoutLogin(target);
      return `${withoutLogin(target.slice(0, at))}?${redactQuery(target.slice(at + 1))}`;
    },
    query: (query) => argumentsOf(redactQuery(query)),
  };
};

const argumentsOf = (query: string): Record<string, string | true | (string | true)[]> => {
  const all: Record<string, string | true | (string | true)[]> = Object.create(null);
  for (const arg of query.split('&').filter((part) => part !== '')) {
    const at = arg.indexOf('=');
    const name = decoded(at < 0 ? arg : arg.slice(0, at));
    const value = at < 0 ? true : decoded(arg.slice(at + 1));
    const before = all[name];
    all[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return all;
};

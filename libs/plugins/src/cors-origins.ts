import { compilePattern } from './fields.ts';

const MAX_ORIGIN_CHARS = 512; // a host name has at most 253; longer ones match no pattern
const FLAT_ORIGIN = /^[A-Za-z0-9.:/-]+$/;

/** True for `*`, an origin as written, or a pattern that can be used. */
export const isOriginPattern = (entry: string): boolean => {
  try {
    return entry === '*' || compilePattern(entry) !== undefined;
  } catch {
    return false;
  }
};

interface Origin {
  readonly host: string;
  readonly full: string;
}

const DEFAULT_PORTS = new Map([
  ['http', '80'],
  ['https', '443'],
]);
const parseOrigin = (origin: string): Origin => {
  const [, scheme, host, port] =
    /^(?:([a-z][a-z0-9+.-]*):)?\/\/([^/:]+|\[[^\]]*\])(?::(\d+))?/i.exec(origin) ?? [];
  if (host === undefined) return { host: origin, full: origin };
  const isDefault = port === undefined || DEFAULT_PORTS.get(scheme ?? '') === port;
  return { host, full: `${scheme === undefined ? '' : `${scheme}://`}${host}${isDefault ? '' : `:${port}`}` };
};

/** Says whether one configured entry allows an origin. Patterns without a colon are about the host alone. */
const matcherOf = (entry: string): ((origin: Origin) => boolean) => {
  if (FLAT_ORIGIN.test(entry)) {
    const { full } = parseOrigin(entry);
    return (origin) => origin.full === full;
  }
  const pattern = compilePattern(`^(?:${entry})$`);
  return entry.includes(':') ? ({ full }) => pattern.test(full) : ({ host }) => pattern.test(host);
};

/** Which origins a configuration allows. */
export interface AllowedOrigins {
  /** Answers differ by origin, so caches must not mix them. */
  readonly varies: boolean;
  /** The value of Access-Control-Allow-Origin; undefined when the origin is not allowed. */
  originFor(origin: string | undefined): string | undefined;
}

/** Prepares the configured origins; none means all. */
export const compileOrigins = (origins: readonly string[]): AllowedOrigins => {
  const [first] = origins;
  const only = origins.length === 1 ? first : undefined;
  if (first === undefined || only === '*') return { varies: false, originFor: () => '*' };
  if (origins.includes('*')) return { varies: true, originFor: () => '*' };
  // One plain origin is the answer to everybody, as in Kong; browsers elsewhere refuse it.
  if (only !== undefined && FLAT_ORIGIN.test(only)) return { varies: true, originFor: () => only };
  const matchers = origins.map(matcherOf);
  return {
    varies: true,
    originFor: (origin) => {
      if (origin === undefined || origin.length > MAX_ORIGIN_CHARS) return undefined;
      const parsed = parseOrigin(origin);
      return matchers.some((matches) => matches(parsed)) ? parsed.full : undefined;
    },
  };
};

/** Directives of `Cache-Control`, names in lower case; `true` where a directive has no value. */
export type CacheControl = ReadonlyMap<string, string | true>;

/** Reads the header's lines (RFC 9111 section 5.2). Of a directive written twice the first counts. */
export const parseCacheControl = (lines: readonly string[]): CacheControl => {
  const directives = new Map<string, string | true>();
  for (const part of lines.join(',').split(',')) {
    const [name = '', ...value] = part.trim().split('=');
    const key = name.toLowerCase();
    if (key !== '' && !directives.has(key))
      directives.set(key, value.length === 0 ? true : value.join('=').replace(/^"(.*)"$/, '$1'));
  }
  return directives;
};

/** A directive's value in seconds; undefined where there is none. */
export const secondsOf = (directives: CacheControl, name: string): number | undefined => {
  const value = directives.get(name);
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
};

/**
 * How long an answer says it is fresh, in seconds: `s-maxage`, else `max-age`, else `Expires`; 0 when it does not
 * say. `now` is Unix time in ms.
 */
export const freshSeconds = (directives: CacheControl, expires: string | undefined, now: number): number => {
  const stated = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age');
  if (stated !== undefined) return stated;
  const until = Date.parse(expires ?? '');
  return Number.isNaN(until) ? 0 : Math.max(0, Math.floor((until - now) / 1000));
};

interface MediaType {
  readonly type: string;
  readonly subtype: string;
  /** `name=value` of each parameter, sorted. */
  readonly parameters: string;
}

const readMediaType = (text: string): MediaType => {
  const [essence = '', ...parameters] = text.toLowerCase().split(';');
  const [type = '', subtype = ''] = essence.trim().split('/');
  const sorted = parameters.map((p) => p.trim()).filter((p) => p !== '');
  return { type, subtype, parameters: sorted.sort().join(';') };
};

/** Tests a Content-Type against patterns such as `text/plain` and `image/*`; parameters have to be the same. */
export const mediaTypeTest = (patterns: readonly string[]): ((contentType: string) => boolean) => {
  const known = patterns.map(readMediaType);
  return (contentType) => {
    const actual = readMediaType(contentType);
    return known.some(
      ({ type, subtype, parameters }) =>
        (type === '*' || type === actual.type) &&
        (subtype === '*' || subtype === actual.subtype) &&
        parameters === actual.parameters,
    );
  };
};

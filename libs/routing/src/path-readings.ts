/** A path that somebody behind us could make of the one that is forwarded. */
export interface Reading {
  readonly path: string;
  /** It leaves folders by `..`, which the forwarded path does not. */
  readonly climbs: boolean;
}

/** More of them, and a path was made to have many. */
const MAX_READINGS = 64;
const OPEN_TO_READINGS = /[%\\;]|[. \t](?:\/|$)|[^\x21-\x7e]/;

/**
 * Every reading of a normalised path that some server is known to make: decoded again (and again), with backslashes
 * as slashes, without parameters, cut at an encoded `?`, `#` or NUL, without the dots and blanks that end a name,
 * with compatibility characters in their plain form, and each of these with its dot segments resolved. The path
 * itself is not among them. Undefined: there is no end to them, or one of them leaves the root.
 */
export const otherReadings = (path: string): readonly Reading[] | undefined => {
  if (!OPEN_TO_READINGS.test(path)) return NONE;
  const found = new Map<string, Reading>([[path, { path, climbs: false }]]);
  for (const reading of found.values()) {
    for (const read of READERS) {
      const tidy = tidied(read(reading.path), reading.climbs);
      if (tidy === undefined || found.size > MAX_READINGS) return undefined;
      if (found.get(tidy.path)?.climbs !== true && (tidy.climbs || !found.has(tidy.path)))
        found.set(tidy.path, tidy);
    }
  }
  found.delete(path);
  return [...found.values()];
};

const NONE: readonly Reading[] = [];

const decoded = (path: string): string =>
  path.replace(
    /(?:%[0-9A-Fa-f]{2})+/g,
    (triplets) => Buffer.from(triplets.replaceAll('%', ''), 'hex').toString(), // what is no UTF-8 is some other character
  );
const withSlashes = (path: string): string => path.replaceAll('\\', '/');
const withoutParameters = (path: string): string => path.replace(/;[^/]*/g, '');
const cutAtParameters = (path: string): string => cutAt(path, /;/);
const cutAtEnd = (path: string): string => cutAt(path, /[?#\0]/);
const withoutControls = (path: string): string => path.replace(/\p{Cc}/gu, '');
/** Also what Windows takes for a slash or a dot when it has no such letter. */
const inPlainForm = (path: string): string =>
  path
    .replace(/[\u2044\u2215]/g, '/')
    .replaceAll('\u2216', '\\')
    .replaceAll('\u3002', '.')
    .normalize('NFKC');
/** As Windows reads names. */
const withoutEnds = (path: string): string =>
  path.replace(/(?<=\/)(\.{1,2})[ \t]+(?=\/|$)/g, '$1').replace(/(?<=[^/.\s])[. \t]+(?=\/|$)/g, '');

const cutAt = (path: string, mark: RegExp): string => {
  const at = path.search(mark);
  return at < 0 ? path : path.slice(0, at);
};

const READERS = [
  decoded,
  withSlashes,
  withoutParameters,
  cutAtParameters,
  cutAtEnd,
  withoutControls,
  inPlainForm,
  withoutEnds,
];

/** With dot segments resolved and slashes merged; undefined when it rises above the root. */
const tidied = (path: string, climbed: boolean): Reading | undefined => {
  const segments: string[] = [];
  let climbs = climbed;
  let last = '';
  for (last of path.slice(1).split('/')) {
    if (last === '..') {
      climbs = true;
      if (segments.pop() === undefined) return undefined;
    } else if (last !== '' && last !== '.') segments.push(last);
  }
  const isFolder = last === '' || last === '.' || last === '..';
  return { path: `/${segments.join('/')}${isFolder && segments.length > 0 ? '/' : ''}`, climbs };
};

/** What is known of the route that a path leads to. */
export interface Destination<T> {
  readonly value: T;
  readonly matchedPath: string | undefined;
}

/**
 * Whether a request that was matched by `path` could reach an upstream that reads a path of another route out of it,
 * or one outside of its own route. A reading that no route knows is harmless unless it climbs. `isGuarded` tells
 * the routes that ask who is calling: only for those a different case of letters counts.
 */
export const isConfusing = <T>(
  path: string,
  matched: Destination<T>,
  look: (path: string) => Destination<T> | undefined,
  isGuarded: (value: T) => boolean,
): boolean => {
  const readings = otherReadings(path);
  if (readings === undefined) return true;
  for (const reading of readings) {
    const other = look(reading.path);
    if (other === undefined ? reading.climbs : other.value !== matched.value) return true;
  }
  if (isGuarded(matched.value)) return false;
  const differsByCase = (read: string): boolean => {
    const small = read.toLowerCase();
    const other = small === read ? undefined : look(small);
    if (other === undefined || other.value === matched.value || !isGuarded(other.value)) return false;
    return other.matchedPath !== matched.matchedPath?.toLowerCase(); // else the configuration tells them apart
  };
  return differsByCase(path) || readings.some((reading) => differsByCase(reading.path));
};

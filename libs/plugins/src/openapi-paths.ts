/** A segment with parameters in it: text, name, text, name, …, text. */
type Pieces = readonly string[];

/** A path of an OpenAPI document, ready to be matched. */
interface Template {
  readonly path: string;
  readonly segments: readonly (string | Pieces)[];
  /** Segments that are fixed text: the more, the sooner it is tried. */
  readonly fixed: number;
}

/** The path that fits and its parameters, still percent-encoded. */
export interface PathMatch {
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const templateOf = (path: string): Template => {
  const segments = path
    .split('/')
    .map((segment) => (segment.includes('{') ? segment.split(/\{([^{}]*)\}/) : segment));
  return { path, segments, fixed: segments.filter((segment) => typeof segment === 'string').length };
};

/** Each parameter ends where the text after it begins first: one pass, nothing is tried twice. */
const readPieces = (pieces: Pieces, segment: string, parameters: Record<string, string>): boolean => {
  if (!segment.startsWith(pieces[0] ?? '')) return false;
  let from = (pieces[0] ?? '').length;
  for (let i = 1; i < pieces.length; i += 2) {
    const after = pieces[i + 1] ?? '';
    const isLast = i + 2 >= pieces.length;
    const until = isLast ? segment.length - after.length : segment.indexOf(after, from + 1);
    if (until <= from || !segment.startsWith(after, until)) return false;
    parameters[pieces[i] ?? ''] = segment.slice(from, until);
    from = until + after.length;
  }
  return true;
};

const matchTemplate = ({ path, segments }: Template, given: readonly string[]): PathMatch | undefined => {
  const parameters = Object.create(null) as Record<string, string>;
  for (let i = 0; i < segments.length; i++) {
    const expected = segments[i] ?? '';
    const segment = given[i] ?? '';
    const fits =
      typeof expected === 'string' ? expected === segment : readPieces(expected, segment, parameters);
    if (!fits) return undefined;
  }
  return { path, parameters };
};

/** Finds the template of a path. Fixed text goes before parameters, as OpenAPI 3.1 says. */
export const pathMatcher = (paths: readonly string[]): ((path: string) => PathMatch | undefined) => {
  const byLength = new Map<number, Template[]>();
  for (const template of paths.map(templateOf)) {
    const same = byLength.get(template.segments.length);
    if (same === undefined) byLength.set(template.segments.length, [template]);
    else same.push(template);
  }
  for (const templates of byLength.values()) templates.sort((a, b) => b.fixed - a.fixed);
  return (path) => {
    const given = path.split('/');
    for (const template of byLength.get(given.length) ?? []) {
      const match = matchTemplate(template, given);
      if (match !== undefined) return match;
    }
    return undefined;
  };
};

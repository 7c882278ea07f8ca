import { isObject, localPointer, pointerStep, valueAt } from './json-pointer.ts';
import { FORMATS, FORMATS_UNCHECKED, PLAIN_KEYWORDS, SCHEMA_KEYWORDS } from './json-schema-keywords.ts';
import { compileSearchRegex } from './linear-regex.ts';

/** What is wrong, or hardly meant, at a place of a document. */
export interface SchemaProblem {
  /** JSON pointer. */
  readonly at: string;
  readonly message: string;
}

/** What was found in the schemas of a document. */
export interface Survey {
  readonly problems: SchemaProblem[];
  readonly warnings: SchemaProblem[];
  /** Pointers of the schemas that were asked about or referred to. */
  readonly entries: readonly string[];
}

const MAX_SCHEMAS = 20_000;
const MAX_NESTING = 64;
const MAX_REF_DEPTH = 32;
const MAX_CHAIN = 1000;
/** Schemas that may look at one value. References can double that number at each step. */
const MAX_CHECKS_PER_VALUE = 5000;
const MAX_PATTERN_CHARS = 500;

const SCOPE_KEYWORDS = ['$anchor', '$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor'];
const DIALECTS = [
  'https://json-schema.org/draft/2020-12/schema',
  'https://spec.openapis.org/oas/3.1/dialect/base',
];

interface Node {
  readonly at: string;
  readonly nesting: number;
}

interface Surveyor {
  readonly document: unknown;
  readonly seen: Set<string>;
  readonly entries: Set<string>;
  readonly queue: Node[];
  readonly problems: SchemaProblem[];
  readonly warnings: SchemaProblem[];
  /** Schemas that look at the same value, by the schema that names them; `isRef`: by a reference. */
  readonly edges: Map<string, { readonly to: string; readonly isRef: boolean }[]>;
}

/**
 * Reads the schemas of a document that begin at some pointers, and all they refer to, before anything is compiled:
 * only local references, only regular expressions that run in linear time, no schema that asks for itself without
 * going into the data, and a bound for how many schemas look at one value. Nothing is fetched.
 */
export const surveySchemas = (document: unknown, pointers: Iterable<string>): Survey => {
  const surveyor: Surveyor = {
    document,
    seen: new Set(),
    entries: new Set(),
    queue: [],
    problems: [],
    warnings: [],
    edges: new Map(),
  };
  for (const at of pointers) enter(surveyor, at, 0);
  for (let node = surveyor.queue.pop(); node !== undefined; node = surveyor.queue.pop()) {
    if (surveyor.seen.size > MAX_SCHEMAS) {
      surveyor.problems.push({ at: node.at, message: `there are more than ${MAX_SCHEMAS} schemas` });
      break;
    }
    readSchema(surveyor, node);
  }
  if (surveyor.problems.length === 0) weigh(surveyor);
  const { problems, warnings, entries } = surveyor;
  return { problems, warnings, entries: [...entries] };
};

const enter = (surveyor: Surveyor, at: string, nesting: number): void => {
  surveyor.entries.add(at);
  queue(surveyor, { at, nesting });
};

const queue = (surveyor: Surveyor, node: Node): void => {
  if (surveyor.seen.has(node.at)) return;
  surveyor.seen.add(node.at);
  surveyor.queue.push(node);
};

const readSchema = (surveyor: Surveyor, node: Node): void => {
  const { at, nesting } = node;
  const schema = valueAt(surveyor.document, at);
  const report = (message: string, keyword?: string): void => {
    surveyor.problems.push({ at: keyword === undefined ? at : at + pointerStep(keyword), message });
  };
  if (typeof schema === 'boolean') return;
  if (!isObject(schema)) {
    report('a schema must be an object or a boolean');
    return;
  }
  if (nesting > MAX_NESTING) {
    report(`schemas are nested deeper than ${MAX_NESTING} levels`);
    return;
  }
  for (const keyword of Object.keys(schema)) {
    const holds = SCHEMA_KEYWORDS.get(keyword);
    if (holds !== undefined) readParts(surveyor, node, keyword, schema[keyword]);
    else if (SCOPE_KEYWORDS.includes(keyword))
      report('is not supported; refer to a schema by its place, as in #/$defs/Name', keyword);
    else if (!PLAIN_KEYWORDS.has(keyword) && !keyword.startsWith('x-'))
      surveyor.warnings.push({
        at: at + pointerStep(keyword),
        message: 'unknown keyword, it checks nothing',
      });
  }
  readIdentity(schema, at, report);
  readPatterns(schema, report);
  readFormat(surveyor, schema, at);
  if (schema.$ref !== undefined) readReference(surveyor, node, schema.$ref, report);
};

type Report = (message: string, keyword?: string) => void;

const readIdentity = (schema: Readonly<Record<string, unknown>>, at: string, report: Report): void => {
  if (schema.$id !== undefined && at !== '')
    report('is not supported inside a document; refer to a schema by its place, as in #/$defs/Name', '$id');
  if (schema.$schema !== undefined && !DIALECTS.includes(String(schema.$schema)))
    report(`is not a dialect that is supported; write ${DIALECTS[0]} or leave it out`, '$schema');
};

const readPatterns = (schema: Readonly<Record<string, unknown>>, report: Report): void => {
  const check = (pattern: string, keyword: string): void => {
    if (pattern.length > MAX_PATTERN_CHARS) {
      report(`a pattern may have at most ${MAX_PATTERN_CHARS} characters`, keyword);
      return;
    }
    try {
      compileSearchRegex(pattern);
    } catch (error) {
      report(`not a valid regex: ${pattern} (${(error as Error).message})`, keyword);
    }
  };
  if (typeof schema.pattern === 'string') check(schema.pattern, 'pattern');
  if (isObject(schema.patternProperties))
    for (const pattern of Object.keys(schema.patternProperties)) check(pattern, 'patternProperties');
};

const readFormat = (surveyor: Surveyor, { format }: Readonly<Record<string, unknown>>, at: string): void => {
  const isKnown =
    typeof format !== 'string' || FORMATS.some((one) => one === format) || FORMATS_UNCHECKED.has(format);
  if (!isKnown)
    surveyor.warnings.push({ at: `${at}/format`, message: `the format '${format}' checks nothing` });
};

const readReference = (surveyor: Surveyor, { at }: Node, reference: unknown, report: Report): void => {
  const to = typeof reference === 'string' ? localPointer(reference) : undefined;
  if (to === undefined)
    report('must be a place in this document, as in #/$defs/Name; nothing is fetched', '$ref');
  else if (valueAt(surveyor.document, to) === undefined)
    report(`there is nothing at ${String(reference)}`, '$ref');
  else {
    addEdge(surveyor, at, to, true);
    enter(surveyor, to, 0);
  }
};

const addEdge = ({ edges }: Surveyor, from: string, to: string, isRef: boolean): void => {
  const known = edges.get(from);
  if (known === undefined) edges.set(from, [{ to, isRef }]);
  else known.push({ to, isRef });
};

/** The schemas that a keyword holds. A value of the wrong type is left to the meta-schema. */
const readParts = (surveyor: Surveyor, node: Node, keyword: string, value: unknown): void => {
  const { holds, isInPlace } = SCHEMA_KEYWORDS.get(keyword) ?? { holds: 'schema', isInPlace: false };
  const base = node.at + pointerStep(keyword);
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const places = holds === 'schema' ? [base] : names.map((name) => base + pointerStep(name));
  for (const at of places) {
    if (isInPlace) addEdge(surveyor, node.at, at, false);
    queue(surveyor, { at, nesting: node.nesting + 1 });
  }
};

interface Weight {
  readonly checks: number;
  readonly refs: number;
}

/** Follows the schemas that look at one value: no circle, no long chain, no doubling without end. */
const weigh = (surveyor: Surveyor): void => {
  const known = new Map<string, Weight | 'open'>();
  const weightOf = (at: string, depth: number): Weight => {
    const before = known.get(at);
    if (before === 'open' || depth > MAX_CHAIN) {
      const message =
        before === 'open' ? 'refers to itself without a step into the data' : 'leads on without end';
      surveyor.problems.push({ at, message });
      return { checks: 1, refs: 0 };
    }
    if (before !== undefined) return before;
    known.set(at, 'open');
    let checks = 1;
    let refs = 0;
    for (const { to, isRef } of surveyor.edges.get(at) ?? []) {
      const weight = weightOf(to, depth + 1);
      checks += weight.checks;
      refs = Math.max(refs, weight.refs + (isRef ? 1 : 0));
    }
    known.set(at, { checks, refs });
    return { checks, refs };
  };
  for (const at of surveyor.entries) {
    const { checks, refs } = weightOf(at, 0);
    if (surveyor.problems.length > 0) return;
    if (refs > MAX_REF_DEPTH)
      surveyor.problems.push({ at, message: `references lead on more than ${MAX_REF_DEPTH} times` });
    else if (checks > MAX_CHECKS_PER_VALUE)
      surveyor.problems.push({ at, message: `more than ${MAX_CHECKS_PER_VALUE} schemas look at one value` });
  }
};

/**
 * `$(...)` in a configured value. Kong evaluates the expression as Lua; here it is a small language with Lua's
 * meaning, which is what configurations use: `headers`, `query_params`, `uri_captures` and `shared`, indexed by
 * `.name`, `["name"]` or `[n]`; strings, numbers, `nil`, `true`, `false`; `or`, `and`, `not`, `==`, `~=`, `..`
 * and parentheses. A whole Lua was rejected: it would run code from a configuration on the request path.
 * One deviation, on purpose: after `headers.` a name may hold dashes, where Lua would subtract.
 */
import { type Node, parseExpression } from './template-expression.ts';

/** What expressions may look at: the request as it was before this plugin changed it. */
export interface TemplateScope {
  header(name: string): string | undefined;
  query(name: string): string | true | undefined;
  capture(name: string): string | undefined;
}

export interface Template {
  /** The value as it was configured. */
  readonly source: string;
  /** True when nothing but expressions makes up the value, so that an empty result means "no value". */
  readonly isOnlyTemplates: boolean;
  /** Headers that expressions read, in lower case, so that they can be read before they change. */
  readonly headerNames: readonly string[];
  /** Names that are not known and therefore always empty. */
  readonly unknownNames: readonly string[];
  /**
   * Throws a `TemplateError` when an expression has no value for this request, as Lua would. `adapt` makes
   * what the request brought right for its place; the configured text around it stays as written.
   */
  render(scope: TemplateScope, adapt?: (value: string) => string): string;
}

/** An expression that cannot be evaluated for a request: a call, or a look-up in nothing. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

type Value = string | number | boolean | undefined | { readonly table: keyof typeof TABLES };
type Evaluate = (scope: TemplateScope) => Value;

const asIs = (value: string): string => value;
const nothing = (): Value => undefined;
const TABLES = {
  headers: (scope: TemplateScope, key: string): Value => scope.header(key.toLowerCase()),
  query_params: (scope: TemplateScope, key: string): Value => scope.query(key),
  uri_captures: (scope: TemplateScope, key: string): Value => scope.capture(key),
  // What plugins share with each other in Kong; ours share nothing.
  shared: nothing,
};
const isTable = (name: string): name is keyof typeof TABLES => Object.hasOwn(TABLES, name);

const isTrue = (value: Value): boolean => value !== undefined && value !== false;
const textOf = (value: Value): string => {
  if (typeof value === 'object') throw new TemplateError(`'${value.table}' is a table, not a value`);
  return value === undefined || value === false ? '' : String(value);
};

/** What a template has to know about its expressions beside their values. */
interface Notes {
  readonly headerNames: Set<string>;
  readonly unknownNames: Set<string>;
}

const compileIndex = (of: Node, key: string, notes: Notes): Evaluate => {
  // Kong's header table also answers to names with underscores for dashes.
  if (of.kind === 'name' && of.name === 'headers') {
    const name = key.toLowerCase();
    const dashed = name.replaceAll('_', '-');
    notes.headerNames.add(name).add(dashed);
    return (scope) => scope.header(name) ?? scope.header(dashed);
  }
  notes.headerNames.add(key.toLowerCase());
  const base = compile(of, notes);
  return (scope) => {
    const table = base(scope);
    if (typeof table !== 'object') throw new TemplateError(`'${key}' is looked up in what is not a table`);
    return TABLES[table.table](scope, key);
  };
};

const compileName = (name: string, notes: Notes): Evaluate => {
  if (isTable(name)) return () => ({ table: name });
  notes.unknownNames.add(name);
  return nothing;
};

const BINARY = {
  or:
    (left: Evaluate, right: Evaluate): Evaluate =>
    (scope) => {
      const value = left(scope);
      return isTrue(value) ? value : right(scope);
    },
  and:
    (left: Evaluate, right: Evaluate): Evaluate =>
    (scope) => {
      const value = left(scope);
      return isTrue(value) ? right(scope) : value;
    },
  '==':
    (left: Evaluate, right: Evaluate): Evaluate =>
    (scope) =>
      left(scope) === right(scope),
  '~=':
    (left: Evaluate, right: Evaluate): Evaluate =>
    (scope) =>
      left(scope) !== right(scope),
  '..':
    (left: Evaluate, right: Evaluate): Evaluate =>
    (scope) =>
      concatenate(left(scope), right(scope)),
};

const concatenate = (left: Value, right: Value): string => {
  for (const value of [left, right])
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new TemplateError(`'..' joins strings and numbers only`);
  return `${left}${right}`;
};

const compile = (node: Node, notes: Notes): Evaluate => {
  switch (node.kind) {
    case 'literal':
      return () => node.value;
    case 'name':
      return compileName(node.name, notes);
    case 'index':
      return compileIndex(node.of, node.key, notes);
    case 'not': {
      const of = compile(node.of, notes);
      return (scope) => !isTrue(of(scope));
    }
    case 'call':
      return () => {
        throw new TemplateError('functions cannot be called in a template');
      };
    case 'binary':
      return BINARY[node.operator](compile(node.left, notes), compile(node.right, notes));
  }
};

/** Where the parenthesis that opens at `open` closes; counted as Lua's `%b()` does, quotes or not. */
const closingOf = (source: string, open: number): number => {
  let depth = 0;
  for (let i = open; i < source.length; i++) {
    if (source[i] === '(') depth++;
    else if (source[i] === ')' && --depth === 0) return i;
  }
  return -1;
};

const expressionOf = (source: string, notes: Notes): Evaluate => {
  try {
    return compile(parseExpression(source), notes);
  } catch (cause) {
    throw new Error(`$(${source}): ${(cause as Error).message}`, { cause });
  }
};

type Part = string | Evaluate;
const splitParts = (source: string, notes: Notes): Part[] => {
  const parts: Part[] = [];
  let from = 0;
  for (;;) {
    const at = source.indexOf('$(', from);
    const end = at < 0 ? -1 : closingOf(source, at + 1);
    if (end < 0) break; // a `$(` that never closes is text, as in Kong
    if (at > from) parts.push(source.slice(from, at));
    parts.push(expressionOf(source.slice(at + 2, end), notes));
    from = end + 1;
  }
  if (from < source.length) parts.push(source.slice(from));
  return parts;
};

const renderOf = (source: string, parts: readonly Part[]): Template['render'] => {
  if (parts.every((part) => typeof part === 'string')) return () => source;
  return (scope, adapt = asIs) => {
    let rendered = '';
    for (const part of parts) rendered += typeof part === 'string' ? part : adapt(textOf(part(scope)));
    return rendered;
  };
};

/** Prepares a configured value. Throws an Error that shows the expression and the place of a syntax error. */
export const compileTemplate = (source: string): Template => {
  const notes: Notes = { headerNames: new Set(), unknownNames: new Set() };
  const parts = splitParts(source, notes);
  return {
    source,
    isOnlyTemplates: parts.length > 0 && parts.every((part) => typeof part !== 'string'),
    headerNames: [...notes.headerNames],
    unknownNames: [...notes.unknownNames],
    render: renderOf(source, parts),
  };
};

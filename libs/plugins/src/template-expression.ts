/** The syntax tree of one `$(...)` expression. */
export type Node =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | undefined }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly of: Node; readonly key: string }
  | { readonly kind: 'call' }
  | { readonly kind: 'not'; readonly of: Node }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Node; readonly right: Node };
export type Operator = 'or' | 'and' | '==' | '~=' | '..';

/** Lua's precedence, weakest first. */
const LEVELS: readonly (readonly Operator[])[] = [['or'], ['and'], ['==', '~='], ['..']];
const CONSTANTS = new Map<string, boolean | undefined>([
  ['nil', undefined],
  ['true', true],
  ['false', false],
]);
const ESCAPES = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const MAX_DEPTH = 50;

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const HEADER_KEY = /[A-Za-z_][A-Za-z0-9_-]*/y;
const NUMBER = /\d+(?:\.\d+)?/y;
const TEXT = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;

/** The text not read yet. */
class Reader {
  readonly #source: string;
  #at = 0;
  depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Reads what the pattern (with flag `y`) matches here, after blanks. */
  take(pattern: RegExp): string | undefined {
    this.#skipBlanks();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Reads a symbol or a word, if it is what comes next. */
  takeSymbol(symbol: string): boolean {
    this.#skipBlanks();
    const end = this.#at + symbol.length;
    if (!this.#source.startsWith(symbol, this.#at)) return false;
    if (/\w$/.test(symbol) && /^\w/.test(this.#source.slice(end))) return false;
    if (symbol === '.' && this.#source[end] === '.') return false;
    this.#at = end;
    return true;
  }

  expect(symbol: string): void {
    if (!this.takeSymbol(symbol)) this.fail(`'${symbol}'`);
  }

  get isAtEnd(): boolean {
    this.#skipBlanks();
    return this.#at >= this.#source.length;
  }

  fail(wanted: string): never {
    const rest = this.#source.slice(this.#at, this.#at + 10);
    throw new Error(
      `expected ${wanted} at character ${this.#at + 1}, found ${rest === '' ? 'the end' : `'${rest}'`}; ` +
        `a template reads headers.name, query_params["name"], uri_captures[1] and joins them with or, and, ..`,
    );
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#source[this.#at] ?? '')) this.#at++;
  }
}

const unquote = (quoted: string): string =>
  quoted.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ESCAPES.get(char) ?? char);

const parseKey = (reader: Reader): string => {
  const quoted = reader.take(TEXT);
  const key = quoted === undefined ? reader.take(NUMBER) : unquote(quoted);
  if (key === undefined) return reader.fail('a string or a number');
  reader.expect(']');
  return key;
};

const skipArguments = (reader: Reader): void => {
  if (reader.takeSymbol(')')) return;
  do parseLevel(reader, 0);
  while (reader.takeSymbol(','));
  reader.expect(')');
};

const parsePrimary = (reader: Reader): Node => {
  if (reader.takeSymbol('(')) {
    const inner = parseLevel(reader, 0);
    reader.expect(')');
    return inner;
  }
  const quoted = reader.take(TEXT);
  if (quoted !== undefined) return { kind: 'literal', value: unquote(quoted) };
  const digits = reader.take(NUMBER);
  if (digits !== undefined) return { kind: 'literal', value: Number(digits) };
  const name = reader.take(NAME) ?? reader.fail('a name, a string or a number');
  return CONSTANTS.has(name) ? { kind: 'literal', value: CONSTANTS.get(name) } : { kind: 'name', name };
};

const parsePostfix = (reader: Reader): Node => {
  let node = parsePrimary(reader);
  for (;;) {
    if (reader.takeSymbol('.')) {
      const isHeader = node.kind === 'name' && node.name === 'headers';
      const key: string = reader.take(isHeader ? HEADER_KEY : NAME) ?? reader.fail('a name');
      node = { kind: 'index', of: node, key };
    } else if (reader.takeSymbol('[')) node = { kind: 'index', of: node, key: parseKey(reader) };
    else if (reader.takeSymbol('(')) {
      skipArguments(reader);
      node = { kind: 'call' };
    } else return node;
  }
};

const parseUnary = (reader: Reader): Node =>
  reader.takeSymbol('not') ? { kind: 'not', of: parseUnary(reader) } : parsePostfix(reader);

const parseLevel = (reader: Reader, level: number): Node => {
  const operators = LEVELS[level];
  if (operators === undefined) return parseUnary(reader);
  if (++reader.depth > MAX_DEPTH * LEVELS.length) return reader.fail('fewer parentheses');
  let left = parseLevel(reader, level + 1);
  for (;;) {
    const operator = operators.find((symbol) => reader.takeSymbol(symbol));
    if (operator === undefined) break;
    left = { kind: 'binary', operator, left, right: parseLevel(reader, level + 1) };
  }
  reader.depth--;
  return left;
};

/** Parses an expression. Throws an Error that says where it stopped understanding. */
export const parseExpression = (source: string): Node => {
  const reader = new Reader(source);
  const node = parseLevel(reader, 0);
  if (!reader.isAtEnd) reader.fail('the end of the expression');
  return node;
};

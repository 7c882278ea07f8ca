/** What a template of Go is made of, as far as our chart uses it. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly of: Expression }
  | { readonly kind: 'declare'; readonly name: string; readonly of: Expression }
  | { readonly kind: 'define'; readonly name: string; readonly body: readonly Node[] }
  | Block;
export interface Block {
  readonly kind: 'if' | 'with' | 'range';
  readonly of: Expression;
  /** `$key, $value` of a range. */
  readonly names: readonly string[];
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}
export type Expression =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'field'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

const ACTION = /\{\{(-\s)?\s*(?:\/\*[\s\S]*?\*\/|((?:"(?:[^"\\]|\\.)*"|[^"])*?))(?:(\s-)|\s*)\}\}/g;
const TOKEN = /(\s*)("(?:[^"\\]|\\.)*"|:=|[|(),]|-?\d+(?![\w.])|[$.\w]+|\S)/g;

type Piece = { readonly text: string } | { readonly action: string };

/** Text and actions, with the white space gone that `{{-` and `-}}` take. */
const piecesOf = (source: string): Piece[] => {
  const pieces: Piece[] = [];
  let from = 0;
  let isTrimmed = false;
  const addText = (to: number, trimEnd: boolean) => {
    let text = source.slice(from, to);
    if (isTrimmed) text = text.trimStart();
    if (trimEnd) text = text.trimEnd();
    if (text !== '') pieces.push({ text });
  };
  for (const found of source.matchAll(ACTION)) {
    addText(found.index, found[1] !== undefined);
    if (found[2] !== undefined) pieces.push({ action: found[2] });
    from = found.index + found[0].length;
    isTrimmed = found[3] !== undefined;
  }
  addText(source.length, false);
  return pieces;
};

/** Reads the tokens of one action from left to right. */
class Tokens {
  readonly #tokens: readonly { readonly text: string; readonly isApart: boolean }[];
  #at = 0;

  constructor(action: string) {
    this.#tokens = [...action.matchAll(TOKEN)].map(([, space = '', text = '']) => ({
      text,
      isApart: space !== '',
    }));
  }

  get next(): string | undefined {
    return this.#tokens[this.#at]?.text;
  }

  /** Does the next token stand at the last one without a space? */
  get isJoined(): boolean {
    return this.#tokens[this.#at]?.isApart === false;
  }

  take(expected?: string): string {
    const text = this.next;
    if (text === undefined || (expected !== undefined && text !== expected))
      throw new Error(`expected ${expected ?? 'more'}, found ${text ?? 'the end of the action'}`);
    this.#at++;
    return text;
  }
}

const fields = (of: Expression, names: readonly string[]): Expression =>
  names.filter((name) => name !== '').reduce<Expression>((so, name) => ({ kind: 'field', of: so, name }), of);

const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, nil: null };

/** `.a.b`, `$x.a`, `"text"`, `12`, `true`, `( … ).a`. */
const parseOperand = (tokens: Tokens): Expression => {
  const token = tokens.take();
  if (token === '(') {
    const inner = parsePipeline(tokens);
    tokens.take(')');
    const isField = tokens.isJoined && tokens.next?.startsWith('.') === true;
    return isField ? fields(inner, tokens.take().split('.')) : inner;
  }
  if (token.startsWith('"')) return { kind: 'value', value: JSON.parse(token) as string };
  if (/^-?\d+$/.test(token)) return { kind: 'value', value: Number(token) };
  if (token in WORDS) return { kind: 'value', value: WORDS[token] ?? null };
  const [first = '', ...rest] = token.split('.');
  if (first === '') return fields({ kind: 'dot' }, rest);
  if (first.startsWith('$')) return fields({ kind: 'variable', name: first }, rest);
  throw new Error(`${token} is no operand`);
};

const endsCommand = (tokens: Tokens): boolean => tokens.next === undefined || /^[|)]$/.test(tokens.next);

const parseCommand = (tokens: Tokens): Expression => {
  const word = tokens.next ?? '';
  if (/^\$?\.Files\.Get$/.test(word)) {
    tokens.take();
    return { kind: 'call', name: 'Files.Get', args: [parseOperand(tokens)] };
  }
  if (!/^[a-zA-Z]\w*$/.test(word) || word in WORDS) return parseOperand(tokens);
  const name = tokens.take();
  const args: Expression[] = [];
  while (!endsCommand(tokens)) args.push(parseOperand(tokens));
  return { kind: 'call', name, args };
};

/** `a | f x` is `f x a`. */
const parsePipeline = (tokens: Tokens): Expression => {
  let so = parseCommand(tokens);
  while (tokens.next === '|') {
    tokens.take();
    const into = parseCommand(tokens);
    if (into.kind !== 'call') throw new Error('a value is piped into something that is no function');
    so = { ...into, args: [...into.args, so] };
  }
  return so;
};

const parseWhole = (tokens: Tokens): Expression => {
  const expression = parsePipeline(tokens);
  if (tokens.next !== undefined) throw new Error(`${tokens.next} is one too many`);
  return expression;
};

/** Up to the `end` or `else` that belongs to it; `rest` is used up from its beginning. */
const parseNodes = (rest: Piece[]): { nodes: Node[]; endedBy: string } => {
  const nodes: Node[] = [];
  for (let piece = rest.shift(); piece !== undefined; piece = rest.shift()) {
    if ('text' in piece) nodes.push({ kind: 'text', text: piece.text });
    else if (piece.action === 'end' || /^else\b/.test(piece.action)) return { nodes, endedBy: piece.action };
    else nodes.push(parseAction(piece.action, rest));
  }
  return { nodes, endedBy: '' };
};

const parseAction = (action: string, rest: Piece[]): Node => {
  const keyword = /^(if|with|range|define)\s/.exec(action)?.[1];
  if (keyword === 'define') {
    const name = JSON.parse(action.slice('define'.length)) as string;
    return { kind: 'define', name, body: parseNodes(rest).nodes };
  }
  if (keyword !== undefined) return parseBlock(keyword as Block['kind'], action.slice(keyword.length), rest);
  const declared = /^(\$\w+)\s*:=/.exec(action);
  if (declared === null) return { kind: 'print', of: parseWhole(new Tokens(action)) };
  const of = parseWhole(new Tokens(action.slice(declared[0].length)));
  return { kind: 'declare', name: declared[1] ?? '', of };
};

const parseBlock = (kind: Block['kind'], head: string, rest: Piece[]): Block => {
  const named = /^\s*((?:\$\w+(?:,\s*)?)+)\s*:=/.exec(head);
  const names = named?.[1]?.split(',').map((name) => name.trim()) ?? [];
  const of = parseWhole(new Tokens(head.slice(named?.[0].length ?? 0)));
  const { nodes: body, endedBy } = parseNodes(rest);
  if (endedBy === '') throw new Error(`${kind}${head} has no end`);
  const again = /^else\s+if\s/.exec(endedBy);
  if (again !== null)
    return { kind, of, names, body, otherwise: [parseBlock('if', endedBy.slice(again[0].length), rest)] };
  return { kind, of, names, body, otherwise: endedBy === 'else' ? parseNodes(rest).nodes : [] };
};

/** @throws Error for what is no template, or uses more of the language than this understands. */
export const parseTemplate = (source: string): readonly Node[] => {
  const { nodes, endedBy } = parseNodes(piecesOf(source));
  if (endedBy !== '') throw new Error(`${endedBy} without a beginning`);
  return nodes;
};

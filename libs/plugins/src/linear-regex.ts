/**
 * Configurations write regexes in the Rust dialect (routes) or in PCRE (plugins); this reads what both share as
 * a JavaScript regex. Only what V8's linear-time engine can take over is let through: no look-around, no
 * back-references, and no `i` flag either (that engine refuses it), so `(?i)` is written out as `[aA]`.
 * Rejected: a re2 package (native build, or ten times slower in pure JavaScript).
 */
export interface RouteRegex {
  readonly regex: RegExp;
  readonly hasCaptures: boolean;
  /** Every match starts with this text; the router files the regex under it. */
  readonly literalPrefix: string;
}

interface Mode {
  readonly ignoresCase: boolean;
  readonly dotMatchesNewline: boolean;
}

interface Reader {
  readonly pattern: string;
  at: number;
  out: string;
  mode: Mode;
  /** Modes to go back to at each `)`. */
  readonly groups: Mode[];
  hasCaptures: boolean;
  hasChoice: boolean;
  /** Undefined once the leading literal text is over. */
  literal: string | undefined;
  prefix: string;
}

const KNOWN_LETTERS = 'dDwWsSbBnrtfv';
const CLASS_LETTERS = 'dDwWsSnrtfvxu';
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const fail = (problem: string): never => {
  throw new Error(problem);
};

/** The regex of a path: anchored at its start, open at its end. Throws what the dialect lacks. */
export const compilePathRegex = (pattern: string): RouteRegex => {
  const reader = translate(pattern, false);
  return {
    regex: build(`^(?:${reader.out})`),
    hasCaptures: reader.hasCaptures,
    literalPrefix: reader.hasChoice ? '' : reader.prefix + (reader.literal ?? ''),
  };
};

/** The regex of a header value, found anywhere in it. It must be given values in lower case. */
export const compileHeaderRegex = (pattern: string): RegExp => build(translate(pattern, true).out);

/** A regex found anywhere in a text. Throws an Error that says what is not supported. */
export const compileSearchRegex = (pattern: string): RegExp => build(translate(pattern, false).out);

const build = (source: string): RegExp => {
  try {
    return new RegExp(source);
  } catch (error) {
    return fail((error as Error).message.replace(/^Invalid regular expression: .*\/: /, ''));
  }
};

const translate = (pattern: string, ignoresCase: boolean): Reader => {
  const mode = { ignoresCase, dotMatchesNewline: false };
  const start = { pattern, at: 0, out: '', mode, groups: [], prefix: '', literal: '' };
  const reader: Reader = { ...start, hasCaptures: false, hasChoice: false };
  while (reader.at < pattern.length) readNext(reader);
  return reader;
};

const readNext = (reader: Reader): void => {
  const character = String.fromCodePoint(reader.pattern.codePointAt(reader.at) ?? 0);
  const special = SPECIAL.get(character);
  if (special !== undefined) {
    special(reader);
  } else {
    reader.at += character.length;
    readLiteral(reader, character);
  }
};

/** Adds translated text; `literal` is the character it stands for, if it is exactly one. */
const emit = (reader: Reader, text: string, literal: string | undefined): void => {
  reader.out += text;
  if (reader.literal === undefined) return;
  reader.prefix += reader.literal;
  reader.literal = literal;
};

const readLiteral = (reader: Reader, character: string): void => {
  const lower = character.toLowerCase();
  const upper = character.toUpperCase();
  const escaped = /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
  if (reader.mode.ignoresCase && lower !== upper && lower.length === 1 && upper.length === 1)
    emit(reader, `[${lower}${upper}]`, undefined);
  else emit(reader, character.length > 1 ? `(?:${character})` : escaped, character);
};

/** A quantifier that allows zero times takes the character before it out of the literal prefix. */
const readQuantifier = (reader: Reader): void => {
  const head = reader.pattern.slice(reader.at, reader.at + 16);
  const quantifier = /^(?:[?*+]|\{\d+(?:,\d*)?\})/.exec(head)?.[0];
  if (quantifier === undefined) {
    reader.at += 1;
    readLiteral(reader, '{');
    return;
  }
  if (reader.literal !== undefined && quantifier === '+') reader.prefix += reader.literal;
  reader.literal = undefined;
  reader.out += quantifier;
  reader.at += quantifier.length;
};

const readAnchor = (reader: Reader): void => {
  emit(reader, reader.pattern.charAt(reader.at), undefined);
  reader.at += 1;
};

const readAny = (reader: Reader): void => {
  emit(reader, reader.mode.dotMatchesNewline ? '[\\s\\S]' : '[^\\n]', undefined);
  reader.at += 1;
};

const readChoice = (reader: Reader): void => {
  if (reader.groups.length === 0) reader.hasChoice = true;
  emit(reader, '|', undefined);
  reader.at += 1;
};

const HEX_ESCAPE = /^\\(?:x([0-9A-Fa-f]{2})|[xu]\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4}))/;

const readEscape = (reader: Reader): void => {
  const { pattern, at } = reader;
  const next = pattern[at + 1] ?? fail('it ends with a lone "\\"');
  const hex = HEX_ESCAPE.exec(pattern.slice(at, at + 10));
  reader.at += hex === null ? 2 : hex[0].length;
  if (hex !== null) readLiteral(reader, codePoint(hex[1] ?? hex[2] ?? hex[3] ?? ''));
  else if (/[0-9k]/.test(next)) fail(`it uses a back-reference ("\\${next}" at ${at}); write it without`);
  else if (next === 'A' || next === 'z') emit(reader, next === 'A' ? '^' : '$', undefined);
  else if (KNOWN_LETTERS.includes(next)) emit(reader, `\\${next}`, undefined);
  else if (/[A-Za-z]/.test(next))
    fail(`the escape "\\${next}" at ${at} is not supported; use a class such as [a-z]`);
  else readLiteral(reader, next);
};

const codePoint = (hex: string): string => {
  const code = Number.parseInt(hex, 16);
  return code > 0x10_ff_ff ? fail(`"${hex}" is no Unicode character`) : String.fromCodePoint(code);
};

const readGroup = (reader: Reader): void => {
  const { at } = reader;
  const head = reader.pattern.slice(at);
  const shown = `("${head.slice(0, 4)}" at ${at})`;
  if (/^\(\?<?[=!]/.test(head)) fail(`it uses look-around ${shown}; write it without`);
  const named = /^\(\?P?<([^>]*)>/.exec(head);
  const flags = /^\(\?([a-zA-Z-]*)([:)])/.exec(head);
  if (named === null && flags === null && head.startsWith('(?'))
    fail(`this kind of group ${shown} is not supported; write (?:…) or (?<name>…)`);
  reader.at += (named ?? flags)?.[0].length ?? 1;
  const mode = flags === null ? reader.mode : withFlags(reader.mode, flags[1] ?? '');
  if (flags?.[2] !== ')') {
    reader.groups.push(reader.mode);
    reader.hasCaptures ||= flags === null;
    emit(reader, flags !== null ? '(?:' : named === null ? '(' : `(?<${named[1]}>`, undefined);
  }
  reader.mode = mode;
};

const closeGroup = (reader: Reader): void => {
  reader.mode = reader.groups.pop() ?? fail('a closing ")" has no opening one');
  emit(reader, ')', undefined);
  reader.at += 1;
};

const withFlags = (mode: Mode, flags: string): Mode => {
  const [on = '', off = ''] = flags.split('-');
  const bad = /[^isu]/.exec(on + off)?.[0];
  if (bad !== undefined)
    return fail(`the flag "${bad}" is not supported; of the inline flags only i and s are`);
  const switched = (flag: string, before: boolean) => on.includes(flag) || (before && !off.includes(flag));
  return {
    ignoresCase: switched('i', mode.ignoresCase),
    dotMatchesNewline: switched('s', mode.dotMatchesNewline),
  };
};

/** A class, `[` to `]`: kept but for POSIX names, a leading `]` and, without case, the other case. */
const readClass = (reader: Reader): void => {
  const { pattern, at: start } = reader;
  const open = /^\[\^?\]?/.exec(pattern.slice(start))?.[0] ?? '[';
  let text = open.replace(']', '\\]');
  reader.at += open.length;
  while (pattern[reader.at] !== ']') {
    const item =
      CLASS_ITEM.exec(pattern.slice(reader.at)) ?? fail(`the class that opens at ${start} is not closed`);
    reader.at += item[0].length;
    text += classItem(item);
  }
  reader.at += 1;
  emit(reader, reader.mode.ignoresCase ? `${withOtherCase(text)}]` : `${text}]`, undefined);
};

const CLASS_ITEM = /^(?:\[:(\w+):\]|\\x\{([0-9A-Fa-f]{1,6})\}|\\[\s\S]|[\s\S])/;

const classItem = ([item, posix, hex]: RegExpExecArray): string => {
  if (posix !== undefined) return POSIX[posix] ?? fail(`there is no class "${item}"`);
  if (hex !== undefined) return inUnit(Number.parseInt(hex, 16));
  if (item === '[') return '\\[';
  if (/^\\[A-Za-z0-9]/.test(item) && !CLASS_LETTERS.includes(item.charAt(1)))
    return fail(`the escape "${item}" in a class is not supported`);
  return item;
};

const inUnit = (code: number): string =>
  code > 0xff_ff
    ? fail('a character beyond U+FFFF cannot stand in a class; write it as an alternative')
    : `\\u${code.toString(16).padStart(4, '0')}`;

/** Adds the other case of every ASCII letter and of every range of such letters. */
const withOtherCase = (text: string): string => {
  const letters =
    text.replaceAll(/\\x..|\\u....|\\[\s\S]/g, ' ').match(/[a-z]-[a-z]|[A-Z]-[A-Z]|[A-Za-z]/g) ?? [];
  const swapped = letters.map((part) => (/[a-z]/.test(part) ? part.toUpperCase() : part.toLowerCase()));
  return text + swapped.join('');
};

const SPECIAL = new Map<string, (reader: Reader) => void>([
  ['\\', readEscape],
  ['(', readGroup],
  [')', closeGroup],
  ['[', readClass],
  ['|', readChoice],
  ['.', readAny],
  ['^', readAnchor],
  ['$', readAnchor],
  ['?', readQuantifier],
  ['*', readQuantifier],
  ['+', readQuantifier],
  ['{', readQuantifier],
]);

/** What makes a JSON text doubtful although a parser takes it; `at` counts characters from 0. */
export interface JsonDoubt {
  readonly kind: 'depth' | 'duplicate';
  readonly at: number;
  /** The repeated name, where that is the doubt. */
  readonly name?: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** The index after a string that opens at `at`. */
const endOfString = (text: string, at: number): number => {
  let end = text.indexOf('"', at + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
};

/** The name as it is meant: `\u0061` is `a`. */
const nameIn = (quoted: string): string =>
  quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);

/**
 * Looks for what two parsers read in two ways, or one only with a deep stack: an object with one name twice, and
 * nesting beyond `maxDepth`. The text must be JSON already. One pass, without recursion.
 */
export const doubtIn = (text: string, maxDepth: number): JsonDoubt | undefined => {
  const names: (Set<string> | undefined)[] = [];
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const known = names.at(-1);
      if (isName && known !== undefined) {
        const name = nameIn(text.slice(at, end));
        if (known.has(name)) return { kind: 'duplicate', at, name };
        known.add(name);
      }
      at = end - 1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (names.length >= maxDepth) return { kind: 'depth', at };
      isName = code === OPEN_BRACE;
      names.push(isName ? new Set() : undefined);
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) names.pop();
    else if (code === COLON) isName = false;
    else if (code === COMMA) isName = names.at(-1) !== undefined;
  }
  return undefined;
};

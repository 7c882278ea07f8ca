import { MARKERS, type Marker } from './markers.ts';

/** Starts of lines that imitate a turn of the conversation, or a heading above instructions. */
const LINE_STARTS: readonly (readonly [text: string, weight: number])[] = [
  ['system:', 0.7],
  ['[system', 0.5],
  ['### system:', 0.9],
  ['### system\n', 0.9],
  ['## system\n', 0.8],
  ['# system\n', 0.8],
  ['### system', 0.4],
  ['### instruction', 0.8],
  ['###system', 0.8],
  ['## user\n', 0.3],
  ['# system', 0.2],
  ['## system', 0.3],
  ['### new', 0.5],
  ['new instructions:', 0.9],
  ['new instruction:', 0.9],
  ['new task:', 0.5],
  ['### user', 0.3],
  ['user:', 0.1],
  ['assistant:', 0.3],
  ['developer:', 0.4],
  ['admin:', 0.4],
  ['system message', 0.5],
  ['system note', 0.6],
  ['important:', 0.15],
];

const LOOKED_AT = 24;
const FIRST_CHARACTERS = [...new Set(LINE_STARTS.map(([start]) => start.charAt(0)))];

/** Weights of the lines of folded text that begin like a turn, with their places. One pass. */
export const turnsIn = (
  text: string,
): { readonly at: number; readonly weight: number; readonly start: string }[] => {
  const found: { at: number; weight: number; start: string }[] = [];
  let at = 0;
  while (at >= 0 && at < text.length) {
    let from = at;
    while (from < at + 8 && (text[from] === ' ' || text[from] === '\t' || text[from] === '>')) from += 1;
    if (FIRST_CHARACTERS.includes(text.charAt(from))) {
      const head = text.slice(from, from + LOOKED_AT);
      const hit = LINE_STARTS.find(([start]) => head.startsWith(start));
      if (hit !== undefined) found.push({ at: from, weight: hit[1], start: hit[0] });
    }
    const next = text.indexOf('\n', at);
    if (next < 0) break;
    at = next + 1;
  }
  return found;
};

const WIDTH = 128;
/** Markers by their first two characters, where both are ASCII. */
const BY_START: (Marker[] | undefined)[] = new Array(WIDTH * WIDTH).fill(undefined);
const BEYOND_ASCII: Marker[] = [];
for (const one of MARKERS) {
  const [a, b] = [one.text.charCodeAt(0), one.text.charCodeAt(1)];
  if (a >= WIDTH || b >= WIDTH) BEYOND_ASCII.push(one);
  else {
    const same = BY_START[a * WIDTH + b];
    if (same === undefined) BY_START[a * WIDTH + b] = [one];
    else same.push(one);
  }
}
const STARTS = new Uint8Array(WIDTH * WIDTH);
for (const start of BY_START.keys()) if (BY_START[start] !== undefined) STARTS[start] = 1;
const isLowerLetter = (code: number): boolean => code >= 97 && code <= 122;

/** Each marker's first place in folded text, in one pass. One that begins with a letter begins a word. */
export const markersIn = (text: string): ReadonlyMap<Marker, number> => {
  const found = new Map<Marker, number>();
  let before = 0;
  let code = text.charCodeAt(0);
  for (let at = 0; at + 1 < text.length; at++) {
    const next = text.charCodeAt(at + 1);
    if (
      code < WIDTH &&
      next < WIDTH &&
      STARTS[code * WIDTH + next] === 1 &&
      !(isLowerLetter(code) && isLowerLetter(before))
    ) {
      const starting = BY_START[code * WIDTH + next];
      const third = text.charCodeAt(at + 2);
      if (starting !== undefined)
        for (const one of starting)
          if (one.text.charCodeAt(2) === third && text.startsWith(one.text, at) && !found.has(one))
            found.set(one, at);
    }
    before = code;
    code = next;
  }
  for (const one of BEYOND_ASCII) {
    const at = text.indexOf(one.text);
    if (at >= 0) found.set(one, at);
  }
  return found;
};

/*
 * Text as people see it: one form for the many that look alike. Everything here is one pass, or a function of the
 * engine that is.
 */

/** Letters of other scripts that look like Latin ones. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  ...{
    а: 'a',
    в: 'b',
    с: 'c',
    е: 'e',
    н: 'h',
    і: 'i',
    ј: 'j',
    к: 'k',
    м: 'm',
    о: 'o',
    р: 'p',
    ѕ: 's',
    т: 't',
  },
  ...{
    у: 'y',
    х: 'x',
    ԁ: 'd',
    ɡ: 'g',
    һ: 'h',
    ԛ: 'q',
    ԝ: 'w',
    ѵ: 'v',
    п: 'n',
    г: 'r',
    и: 'u',
    ь: 'b',
    з: '3',
  },
  ...{
    α: 'a',
    β: 'b',
    ε: 'e',
    η: 'n',
    ι: 'i',
    κ: 'k',
    μ: 'u',
    ν: 'v',
    ο: 'o',
    ρ: 'p',
    σ: 'o',
    τ: 't',
    υ: 'u',
  },
  ...{
    χ: 'x',
    γ: 'y',
    ω: 'w',
    ı: 'i',
    ł: 'l',
    ø: 'o',
    đ: 'd',
    ħ: 'h',
    ƒ: 'f',
    ʀ: 'r',
    ɪ: 'i',
    ɴ: 'n',
    ɢ: 'g',
  },
  ...{
    ʏ: 'y',
    ᴀ: 'a',
    ʙ: 'b',
    ᴄ: 'c',
    ᴅ: 'd',
    ᴇ: 'e',
    ʜ: 'h',
    ᴊ: 'j',
    ᴋ: 'k',
    ʟ: 'l',
    ᴍ: 'm',
    ᴏ: 'o',
    ᴘ: 'p',
  },
  ...{ ꜱ: 's', ᴛ: 't', ᴜ: 'u', ᴠ: 'v', ᴡ: 'w', ᴢ: 'z', ո: 'n', օ: 'o', ս: 'u', հ: 'h', զ: 'q', գ: 'g' },
};
const LATIN_OF = new Map(Object.entries(LOOK_ALIKES));

const LEET: Readonly<Record<string, string>> = {
  ...{
    0: 'o',
    1: 'i',
    3: 'e',
    4: 'a',
    5: 's',
    7: 't',
    8: 'b',
    9: 'g',
    '@': 'a',
    $: 's',
    '!': 'i',
    '|': 'l',
    '+': 't',
  },
};
const LETTER_OF = new Map(Object.entries(LEET));

const INVISIBLE =
  /[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0]/g;
const TAGS = /[\u{e0000}-\u{e007f}]/gu;
const MARKS = /\p{M}/gu;

/** What was found while text was folded. */
export interface Folded {
  readonly text: string;
  /** Characters that nobody sees, in the middle of text. */
  readonly invisible: number;
  /** Text in tag characters, which nobody sees and models read. */
  readonly tagged: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is what is meant.
const ASCII = /^[\x00-\x7f]*$/;

/** Folds width, accents, letter case and what cannot be seen. Scripts stay: a word is judged as a whole later. */
export const fold = (text: string): Folded => {
  if (ASCII.test(text)) return { text: text.toLowerCase(), invisible: 0, tagged: '' };
  let tagged = '';
  const shown = text.replace(TAGS, (tag) => {
    const code = (tag.codePointAt(0) ?? 0) - 0xe0000;
    if (code >= 32) tagged += String.fromCharCode(code);
    return '';
  });
  const visible = shown.replace(INVISIBLE, '');
  const folded = visible
    .normalize('NFKD')
    .replace(MARKS, '')
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ı', 'i');
  return { text: folded, invisible: shown.length - visible.length, tagged };
};

/** A word with each look-alike as its Latin letter. */
export const latinised = (word: string): string => {
  let latin = '';
  for (const char of word) latin += LATIN_OF.get(char) ?? char;
  return latin;
};

/** A word with each digit and sign as the letter it stands for in leetspeak; `1` may be `i` or `l`. */
export const unleeted = (word: string, one: 'i' | 'l'): string => {
  let plain = '';
  for (const char of word) plain += char === '1' ? one : (LETTER_OF.get(char) ?? char);
  return plain;
};

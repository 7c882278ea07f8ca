/** Ways in which attackers write what people, but not simple filters, can read. */
const LEET: Readonly<Record<string, string>> = { a: '4', e: '3', i: '1', o: '0', s: '5', t: '7' };
const HOMOGLYPHS: Readonly<Record<string, string>> = {
  a: 'а',
  e: 'е',
  o: 'о',
  p: 'р',
  c: 'с',
  i: 'і',
  y: 'у',
  x: 'х',
};
const ACCENTS: Readonly<Record<string, string>> = { a: 'à', e: 'é', i: 'ï', o: 'ö', u: 'ü', n: 'ñ' };
const mapped = (text: string, map: Readonly<Record<string, string>>): string =>
  Array.from(text, (char) => map[char] ?? char).join('');
const bytes = (text: string, write: (byte: number) => string): string =>
  Array.from(Buffer.from(text), write).join('');
const shifted = (text: string, by: number): string =>
  text.replaceAll(/[a-zA-Z]/g, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + by) % 26) + base);
  });

const DISGUISES: Readonly<Record<string, (text: string) => string>> = {
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'hex-spaced': (text) => bytes(text, (byte) => `${byte.toString(16).padStart(2, '0')} `).trim(),
  'hex-escaped': (text) => bytes(text, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`),
  url: (text) => bytes(text, (byte) => `%${byte.toString(16).padStart(2, '0')}`),
  unicode: (text) => bytes(text, (byte) => `\\u${byte.toString(16).padStart(4, '0')}`),
  entities: (text) => bytes(text, (byte) => `&#${byte};`),
  binary: (text) => bytes(text, (byte) => `${byte.toString(2).padStart(8, '0')} `).trim(),
  rot13: (text) => shifted(text, 13),
  reverse: (text) => [...text].reverse().join(''),
  leet: (text) => mapped(text.toLowerCase(), LEET),
  'leet-signs': (text) => mapped(text.toLowerCase(), { a: '@', s: '$', i: '!', e: '3', o: '0' }),
  spaced: (text) =>
    text
      .replaceAll(/[^a-zA-Z ]/g, '')
      .split(' ')
      .map((word) => [...word].join(' '))
      .join('   '),
  dashed: (text) =>
    text
      .split(' ')
      .map((word) => [...word].join('-'))
      .join(' '),
  dots: (text) => text.replaceAll(' ', '.'),
  underscores: (text) => text.replaceAll(' ', '_'),
  glued: (text) => text.replaceAll(/[^a-zA-Z]/g, ''),
  'zero-width': (text) => [...text].join('\u200b'),
  'soft-hyphens': (text) => [...text].join('\u00ad'),
  homoglyph: (text) => mapped(text, HOMOGLYPHS),
  fullwidth: (text) => text.replaceAll(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)),
  mathematical: (text) =>
    text.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(0x1d41a + letter.charCodeAt(0) - 97)),
  accents: (text) => mapped(text, ACCENTS),
  tags: (text) =>
    `What a nice day${Array.from(text, (char) => String.fromCodePoint(0xe0000 + (char.codePointAt(0) ?? 0))).join('')}`,
  'mixed-case': (text) =>
    Array.from(text, (char, i) => (i % 2 === 0 ? char.toUpperCase() : char.toLowerCase())).join(''),
};

/** Writes a text in a disguise. */
export const disguise = (name: string, text: string): string => {
  const write = DISGUISES[name];
  if (write === undefined) throw new Error(`there is no disguise "${name}"`);
  return write(text);
};

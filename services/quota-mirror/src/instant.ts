const INSTANT = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d))?$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const ZERO = 48;
const Z = 90;
/** `2025-10-27T20:00:00` */
const SECONDS_END = 19;
/** The text between its digits, by position. */
const MARKS: readonly (readonly [number, number])[] = [
  [4, 45],
  [7, 45],
  [10, 84],
  [13, 58],
  [16, 58],
];

/**
 * Unix microseconds of an RFC 3339 timestamp, or of one without a zone, which is UTC: the original publisher sends
 * `datetime.utcnow().isoformat()`. Undefined for anything else and before 1970. Exact until 2255.
 */
export const microsOf = (text: string | null | undefined): number | undefined =>
  typeof text === 'string' ? (utcMicros(text) ?? anyMicros(text)) : undefined;

/** The number at some digits of a text; not a number where one of them is none. */
const digitsAt = (text: string, from: number, to: number): number => {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
};

/** What nearly every publisher sends, read without a pattern; undefined for what needs a closer look. */
const utcMicros = (text: string): number | undefined => {
  for (const [at, mark] of MARKS) if (text.charCodeAt(at) !== mark) return undefined;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 7);
  const day = digitsAt(text, 8, 10);
  const seconds = secondsOfDay(text);
  const micros = fractionOf(text);
  const isPlain = year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= (DAYS[month - 1] ?? 0);
  if (!isPlain || Number.isNaN(seconds) || Number.isNaN(micros)) return undefined;
  return (Date.UTC(year, month - 1, day) + seconds * 1000) * 1000 + micros;
};

const secondsOfDay = (text: string): number => {
  const hour = digitsAt(text, 11, 13);
  const minute = digitsAt(text, 14, 16);
  const second = digitsAt(text, 17, SECONDS_END);
  return hour < 24 && minute < 60 && second < 60 ? (hour * 60 + minute) * 60 + second : Number.NaN;
};

/** Microseconds after the point, of 0 to 9 digits; not a number when something else than `Z` follows. */
const fractionOf = (text: string): number => {
  const end = text.charCodeAt(text.length - 1) === Z ? text.length - 1 : text.length;
  if (end === SECONDS_END) return 0;
  const digits = end - SECONDS_END - 1;
  if (text.charAt(SECONDS_END) !== '.' || digits < 1 || digits > 9) return Number.NaN;
  const value = digitsAt(text, SECONDS_END + 1, end);
  return Math.floor((value * 1e6) / 10 ** digits);
};

const anyMicros = (text: string): number | undefined => {
  const found = INSTANT.exec(text);
  if (found === null) return undefined;
  const [, day, time, fraction = '', , hours, minutes] = found;
  const ms = Date.parse(`${day}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
  if (Number.isNaN(ms) || ms < 0) return undefined;
  return ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
};

/** RFC 3339 with microseconds. */
export const instantOf = (micros: number): string =>
  `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${`${micros % 1000}`.padStart(3, '0')}Z`;

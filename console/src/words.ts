/** Figures as people read them. */
const upTo = (digits: number) => new Intl.NumberFormat('en', { maximumFractionDigits: digits });
const NONE = upTo(0);
const ONE = upTo(1);
const TWO = upTo(2);

export const rate = (perSecond: number): string =>
  (perSecond >= 100 ? NONE : perSecond >= 1 ? ONE : TWO).format(perSecond);
export const millis = (ms: number): string =>
  ms >= 1000 ? `${TWO.format(ms / 1000)} s` : `${(ms >= 100 ? NONE : ms >= 10 ? ONE : TWO).format(ms)} ms`;
export const micros = (us: number): string => (us < 1000 ? `${us} µs` : millis(us / 1000));
export const count = (value: number): string => NONE.format(value);

/** The time of day, local, with seconds. */
export const clock = (at: number): string => new Date(at).toLocaleTimeString('en-GB');

export const dayAndClock = (at: number | string): string => {
  const date = new Date(at);
  return `${date.toLocaleDateString('en-CA')} ${date.toLocaleTimeString('en-GB')}`;
};

export const ago = (at: number): string => {
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  return `${ONE.format(seconds / 3600)} h ago`;
};

/** `'it''s'`: as a shell takes it. */
export const quoted = (text: string): string =>
  /^[\w.:/@=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

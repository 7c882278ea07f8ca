const KEYWORDS = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);

const quote = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\0', '\\0')}"`;

const keyOf = (key: string): string =>
  /^[A-Za-z_]\w*$/.test(key) && !KEYWORDS.has(key) ? key : `[${quote(key)}]`;

/** A value as Lua writes it, without blanks: what Kong puts into its error messages. */
export const luaLiteral = (value: unknown): string => {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object') return String(value);
  return `{${(Array.isArray(value) ? itemsOf(value) : entriesOf(value)).join(',')}}`;
};

/** Holes (null) end the unnumbered part of a list. */
const itemsOf = (items: readonly unknown[]): string[] => {
  const hole = items.indexOf(null);
  const unnumbered = hole === -1 ? items.length : hole;
  return items.flatMap((item, index) => {
    if (item === null) return [];
    return [index < unnumbered ? luaLiteral(item) : `[${index + 1}]=${luaLiteral(item)}`];
  });
};

const entriesOf = (object: object): string[] =>
  Object.entries(object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${keyOf(key)}=${luaLiteral(item)}`);

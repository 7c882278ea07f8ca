/** Text that needs no quotes: a word that cannot be taken for a number, a boolean, null or an indicator. */
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./-]*$/;
const RESERVED = /^(?:null|true|false|yes|no|on|off|y|n)$/i;
const SINGLE_QUOTED = /^[ -&(-~]*$/;

const writeString = (text: string): string => {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  if (SINGLE_QUOTED.test(text)) return `'${text}'`;
  // JSON's escapes are YAML's too; what JSON leaves raw but YAML may not is escaped here.
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
};

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;

const writeScalar = (value: unknown): string =>
  typeof value === 'string' ? writeString(value) : value === undefined ? 'null' : String(value);

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

const writeEntry = (key: string, value: unknown, indent: string, out: string[]): void => {
  const name = writeString(key);
  if (isScalar(value)) out.push(`${indent}${name}: ${writeScalar(value)}`);
  else if (isEmpty(value as object)) out.push(`${indent}${name}: ${Array.isArray(value) ? '[]' : '{}'}`);
  else {
    out.push(`${indent}${name}:`);
    // A sequence stands at the indent of its key, as most people write it.
    writeBlock(value as object, Array.isArray(value) ? indent : `${indent}  `, out);
  }
};

const writeItem = (value: unknown, indent: string, out: string[]): void => {
  if (isScalar(value)) out.push(`${indent}- ${writeScalar(value)}`);
  else if (isEmpty(value as object)) out.push(`${indent}- ${Array.isArray(value) ? '[]' : '{}'}`);
  else {
    const first = out.length;
    writeBlock(value as object, `${indent}  `, out);
    out[first] = `${indent}- ${(out[first] ?? '').slice(indent.length + 2)}`;
  }
};

const writeBlock = (value: object, indent: string, out: string[]): void => {
  if (Array.isArray(value)) for (const item of value) writeItem(item, indent, out);
  else for (const [key, item] of Object.entries(value)) writeEntry(key, item, indent, out);
};

/** Plain data as block YAML, entries in their order. The same data gives the same bytes. */
export const writeYaml = (document: Readonly<Record<string, unknown>>): string => {
  const lines: string[] = [];
  writeBlock(document, '', lines);
  return lines.length === 0 ? '{}\n' : `${lines.join('\n')}\n`;
};

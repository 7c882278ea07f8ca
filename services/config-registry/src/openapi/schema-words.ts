import type { Json } from './operation.ts';

/** Text as HTML. */
export const escaped = (text: unknown): string =>
  String(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** A schema of the document, as far as the page reads it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

const code = (value: unknown): string =>
  `<code>${escaped(typeof value === 'string' ? value : JSON.stringify(value))}</code>`;

/** The last step of a reference. */
export const nameIn = ({ $ref = '' }: { readonly $ref?: string }): string => $ref.split('/').at(-1) ?? '';

/** Where the page shows a schema. */
export const placeOf = (name: string): string => `schema-${name}`;

/** What a schema takes, in a few words; what has a name is linked. */
export const typeWords = (schema: Schema): string => {
  if (schema.$ref !== undefined) {
    const name = nameIn(schema);
    return `<a href="#${escaped(placeOf(name))}">${escaped(name)}</a>`;
  }
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined)
    return schema.enum
      .filter((value) => value !== null)
      .map(code)
      .join(', ');
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(typeWords))].join(' or ');
  const types = [schema.type ?? 'any'].flat().filter((type) => type !== 'null');
  if (types.includes('array')) return `list of ${typeWords(schema.items ?? {})}`;
  const { additionalProperties: values } = schema;
  if (typeof values === 'object' && schema.properties === undefined) return `map to ${typeWords(values)}`;
  return types.length === 0 ? 'null' : types.join(' or ');
};

const detailsOf = ({ description, default: fallback }: Schema): string =>
  [
    description === undefined ? '' : escaped(description),
    fallback === undefined || fallback === null ? '' : `Default: ${code(fallback)}.`,
  ]
    .filter(Boolean)
    .join(' ');

type Row = readonly [name: string, type: string, meaning: string];

/** One row for each field, those of a record below it with its name before theirs. */
const rowsOf = (schema: Schema, prefix = ''): Row[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const needed = schema.required?.includes(name) === true ? ' *' : '';
    const inside = field.items?.properties === undefined ? field : field.items;
    const suffix = inside === field ? '.' : '[].';
    const below = inside.properties === undefined ? [] : rowsOf(inside, `${path}${suffix}`);
    return [[`${code(path)}${needed}`, typeWords(field), detailsOf(field)] as const, ...below];
  });

/** A table that scrolls by itself where the page is narrow. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="table" tabindex="0" role="group" aria-label="${escaped(head.join(', '))}"><table><thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</tbody></table></div>`;

/** The fields of a schema; `*` marks those that always stand there, or have to. */
export const fieldTable = (schema: Schema): string => {
  const rows = rowsOf(schema);
  return rows.length === 0 ? `<p>${typeWords(schema)}</p>` : table(['Field', 'Type', 'Meaning'], rows);
};

/** A parameter as a row. */
export const parameterRow = (parameter: Json): string[] => {
  const {
    name,
    in: where,
    required,
    description,
    schema,
  } = parameter as {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema: Schema;
  };
  const meaning = detailsOf(description === undefined ? schema : { ...schema, description });
  return [`${code(name)}${required === true ? ' *' : ''}`, escaped(where), typeWords(schema), meaning];
};

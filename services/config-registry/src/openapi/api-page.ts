import { createHash } from 'node:crypto';
import { STYLE } from './api-page-style.ts';
import type { OpenApiDocument } from './document.ts';
import type { Json } from './operation.ts';
import { escaped, fieldTable, parameterRow, placeOf, type Schema, table, typeWords } from './schema-words.ts';

/** Nothing but this page's own style may be used: no script, no address of anybody. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface Shown {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
}
interface Content {
  readonly schema?: Schema;
  readonly example?: unknown;
}
type Contents = Readonly<Record<string, Content>>;

/** The whole description as one page that needs no script: operations by tag, then schemas. */
export const apiPage = (document: OpenApiDocument): string => {
  const operations = operationsIn(document);
  const sections = document.tags.map(({ name, description }) => {
    const own = operations.filter(({ tags }) => tags[0] === name);
    return `<section><h2 id="tag-${escaped(name)}">${escaped(name)}</h2><p>${escaped(description)}</p>${own
      .map((operation) => operationHtml(document, operation))
      .join('')}</section>`;
  });
  const schemas = Object.entries(document.components.schemas ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sluice Admin API</title><style>${STYLE}</style></head><body><header><h1>${escaped(document.info.title)}</h1>${prose(`${document.info.description}`)}<p>The lines with curl take the address from <code>ADMIN</code>: <code>ADMIN=http://127.0.0.1:8001</code>; where there are tokens, add <code>-H "Authorization: Bearer $TOKEN"</code>. <code>*</code> marks what has to be given, or always stands there. For programs: <a href="/openapi.json">openapi.json</a>.</p></header><nav aria-label="Sections"><ul>${document.tags
    .map(({ name }) => `<li><a href="#tag-${escaped(name)}">${escaped(name)}</a></li>`)
    .join(
      '',
    )}<li><a href="#schemas">Schemas</a></li></ul></nav><main>${sections.join('')}<section><h2 id="schemas">Schemas</h2>${schemas
    .map(([name, schema]) => schemaHtml(name, schema as Schema))
    .join('')}</section></main></body></html>`;
};

/** Paragraphs and lists as they are in the description. */
const prose = (text: string): string =>
  text
    .split('\n\n')
    .map((part) =>
      part.startsWith('- ')
        ? `<ul>${part
            .split('\n')
            .map((line) => `<li>${escaped(line.slice(2))}</li>`)
            .join('')}</ul>`
        : `<p>${escaped(part)}</p>`,
    )
    .join('');

const operationsIn = (document: OpenApiDocument): Shown[] =>
  Object.entries(document.paths).flatMap(([path, { parameters, ...methods }]) =>
    Object.entries(methods).map(([method, operation]) => {
      const own = (operation.parameters ?? []) as readonly Json[];
      const inPath = (parameters ?? []) as unknown as readonly Json[];
      return {
        ...operation,
        method: method.toUpperCase(),
        path,
        parameters: [...inPath, ...own],
      } as unknown as Shown;
    }),
  );

/** What a reference leads to; what is none stays. */
const found = ({ components }: OpenApiDocument, given: Json): Json => {
  const { $ref } = given as { $ref?: string };
  if ($ref === undefined) return given;
  const [, , section = '', name = ''] = $ref.split('/');
  return components[section]?.[name] ?? given;
};

const roleOf = (
  document: OpenApiDocument,
  { security = document.security as NonNullable<Shown['security']> }: Shown,
): string => security.flatMap((one) => Object.values(one).flat())[0] ?? 'open';

const operationHtml = (document: OpenApiDocument, operation: Shown): string => {
  const { method, path, summary, description, operationId, parameters, requestBody } = operation;
  const rows = parameters.map((one) => parameterRow(found(document, one)));
  const body = requestBody && (found(document, requestBody) as { content?: Contents }).content;
  return `<details><summary><span class="method">${method}</span> <span class="path">${escaped(path)}</span> <span class="what">${escaped(summary)}</span> <span class="role">${roleOf(document, operation)}</span></summary><div id="${escaped(operationId)}">${
    description === undefined ? '' : `<p>${escaped(description)}</p>`
  }${rows.length === 0 ? '' : `<h3>Parameters</h3>${table(['Name', 'In', 'Type', 'Meaning'], rows)}`}${
    body === undefined ? '' : `<h3>Body</h3>${bodyHtml(body)}`
  }<h3>Answers</h3>${table(['Status', 'Meaning', 'Body'], responseRows(document, operation))}<h3>curl</h3><pre tabindex="0">${escaped(curlOf(operation, body))}</pre></div></details>`;
};

const typed = (content: Contents): string =>
  Object.entries(content)
    .map(([type, { schema = {} }]) => `<code>${escaped(type)}</code>: ${typeWords(schema)}`)
    .join('<br>');

const bodyHtml = (content: Contents): string => {
  const named = Object.values(content).some(({ schema }) => schema?.$ref !== undefined);
  const [first] = Object.values(content);
  return `<p>${typed(content)}</p>${named || first?.schema === undefined ? '' : fieldTable(first.schema)}`;
};

const responseRows = (document: OpenApiDocument, { responses }: Shown): string[][] =>
  Object.entries(responses).map(([status, response]) => {
    const { description, content = {} } = found(document, response) as {
      description: string;
      content?: Contents;
    };
    return [escaped(status), escaped(description), typed(content)];
  });

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A line for a shell; names in braces are the reader's to fill in. */
const curlOf = ({ method, path }: Shown, body: Contents | undefined): string => {
  const parts = ['curl', ...(method === 'GET' ? [] : ['-X', method]), `"$ADMIN${path}"`];
  const [type, content] = Object.entries(body ?? {}).find(([, { example }]) => example !== undefined) ?? [];
  if (type !== undefined) {
    const { example } = content ?? {};
    const text = typeof example === 'string' ? example : JSON.stringify(example);
    parts.push('-H', quoted(`content-type: ${type}`), '--data-binary', quoted(text));
  } else if (body !== undefined)
    parts.push('-H', quoted(`content-type: ${Object.keys(body)[0]}`), '--data-binary', '@FILE');
  return parts.join(' ');
};

const schemaHtml = (
  name: string,
  schema: Schema & { readonly allOf?: readonly { then?: { properties: { config: Schema } } }[] },
): string =>
  `<details><summary><span class="path">${escaped(name)}</span></summary><div id="${escaped(placeOf(name))}">${
    schema.description === undefined ? '' : `<p>${escaped(schema.description)}</p>`
  }${fieldTable(schema)}${
    schema.allOf === undefined
      ? ''
      : `<p>config, by name: ${schema.allOf
          .flatMap(({ then }) => (then === undefined ? [] : [typeWords(then.properties.config)]))
          .join(', ')}</p>`
  }</div></details>`;

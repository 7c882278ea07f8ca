import { pluginCatalog } from '@sluice/plugins';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { openApiDocument } from '../../src/openapi/document.ts';

type Json = Readonly<Record<string, unknown>>;

export const document = openApiDocument(pluginCatalog.all());

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajvFormats.default(ajv);
ajv.addSchema({ ...document, $id: 'admin-api' });

const pointerTo = (steps: readonly string[]): string =>
  steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** What is wrong with a value by the schema at a place of the document; none: nothing. */
export const faultsOf = (value: unknown, ...steps: readonly string[]): string[] => {
  const isValid = schemaAt(steps);
  isValid(value);
  return (isValid.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message} ${JSON.stringify(params)}`.slice(0, 300),
  );
};

/** Compiled once, where several places refer to it. */
const schemaAt = (steps: readonly string[]): ValidateFunction => {
  const { $ref, ...more } = at(...steps) as { $ref?: string };
  const place = $ref === undefined || Object.keys(more).length > 0 ? `#${encodeURI(pointerTo(steps))}` : $ref;
  const schema = ajv.getSchema(`admin-api${place}`);
  if (schema === undefined) throw new Error(`the document has no schema at ${steps.join(' ')}`);
  return schema;
};

/** What stands at a place of the document. */
export const at = (...steps: readonly string[]): unknown =>
  steps.reduce<unknown>((place, step) => (place as Json | undefined)?.[step], document);

/** The place itself, or the one its reference leads to. */
export const resolved = (...steps: string[]): string[] => {
  const { $ref } = (at(...steps) ?? {}) as { $ref?: string };
  return $ref === undefined ? steps : $ref.slice(2).split('/');
};

/** Every operation with its method and path. */
export const operations = Object.entries(document.paths).flatMap(([path, { parameters: _, ...methods }]) =>
  Object.entries(methods).map(([method, operation]) => ({
    ...{ method, path, title: `${method.toUpperCase()} ${path}` },
    operation: operation as Json & { readonly operationId: string; readonly tags: readonly string[] },
  })),
);

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);

/** The path of the document that a request's path is one of; a fixed one before one with names. */
const pathOf = (url: string): string => {
  const [asked = ''] = url.split('?');
  const found = Object.keys(document.paths).filter((path) => patternOf(path).test(asked));
  const [best] = found.sort((a, b) => a.split('{').length - b.split('{').length);
  if (best === undefined) throw new Error(`the document has no path for ${url}`);
  return best;
};

/** What is wrong with an answer by what the document says of the operation. */
export const faultsOfAnswer = (method: string, url: string, status: number, body: unknown): string[] => {
  const steps = resolved('paths', pathOf(url), method.toLowerCase(), 'responses', `${status}`);
  const told = at(...steps) as { content?: Json } | undefined;
  if (told === undefined) return [`${method} ${url}: the document knows no ${status}`];
  if (told.content === undefined) return body === undefined ? [] : ['the document knows no body'];
  const type = Object.keys(told.content)[0] ?? '';
  if (type !== 'application/json') return [];
  return faultsOf(body, ...steps, 'content', type, 'schema');
};

import type { z } from 'zod';
import { checked, type Finding, isHeaderName, listOf, record, text, unset } from './fields.ts';
import { compileTemplate } from './template.ts';
import { splitEntry } from './transform-rules.ts';

const PLACES = ['headers', 'querystring', 'body'] as const;
export type Place = (typeof PLACES)[number];

const entries = (what: string) => listOf(text()).default([]).describe(what);
const lists = (form: string) => ({
  body: entries(`Body fields: ${form}.`),
  headers: entries(`Headers: ${form}.`),
  querystring: entries(`Query arguments: ${form}.`),
});
const rules = (form: string, does: string) => record(lists(form)).prefault({}).describe(does);

const Config = record({
  http_method: unset(text().regex(/^[A-Z]+$/, { error: ({ input }) => `invalid value: ${input}` })).describe(
    'Method of the upstream request.',
  ),
  remove: rules('name', 'Fields to take away.'),
  rename: rules('old:new', 'Fields to move to another name, over what that one had.'),
  replace: record({
    ...lists('name:value'),
    uri: unset(text()).describe(
      'Path of the upstream request, instead of the service path and the request path.',
    ),
  })
    .prefault({})
    .describe('Fields to change when they are there.'),
  add: rules('name:value', 'Fields to add when they are not there.'),
  append: rules('name:value', 'Values to add to what is there.'),
});
export type RequestTransformerConfig = z.output<typeof Config>;

const OPERATIONS = ['rename', 'replace', 'add', 'append'] as const;

const invalidHeader = (name: string): string => `'${name}' is not a valid header`;
const problemOf = (operation: 'remove' | (typeof OPERATIONS)[number], place: Place, entry: string) => {
  const { name, value } = splitEntry(entry);
  if (place === 'headers' && !isHeaderName(name)) return invalidHeader(name);
  if (operation === 'remove') return undefined;
  if (value === '') return `key '${name}' has no value`;
  if (operation === 'rename' && place === 'headers' && !isHeaderName(value)) return invalidHeader(value);
  return templateProblem(value);
};

const templateProblem = (value: string): string | undefined => {
  try {
    compileTemplate(value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

const findings = function* (config: RequestTransformerConfig): Generator<Finding> {
  for (const operation of ['remove', ...OPERATIONS] as const)
    for (const place of PLACES)
      for (const [i, entry] of config[operation][place].entries()) {
        const message = problemOf(operation, place, entry);
        if (message !== undefined) yield { path: [operation, place, i], message };
      }
  const message = config.replace.uri === null ? undefined : templateProblem(config.replace.uri);
  if (message !== undefined) yield { path: ['replace', 'uri'], message };
};

const warningOf = (name: string): string =>
  `$(${name}) is always empty: a template reads headers, query_params and uri_captures, not variables of the ` +
  'environment; write the value itself';

/** What works but hardly as its author meant. */
export const requestTransformerWarnings = (config: RequestTransformerConfig): string[] => {
  const values = OPERATIONS.flatMap((operation) => PLACES.flatMap((place) => config[operation][place]));
  const templates = [...values.map((entry) => splitEntry(entry).value), config.replace.uri ?? ''];
  return [...new Set(templates.flatMap((value) => compileTemplate(value).unknownNames))].map(warningOf);
};

/** The plugin's configuration, checked as Kong does; a template that cannot be parsed is refused here. */
export const requestTransformerConfig = checked(Config, findings);

import type { z } from 'zod';
import { toByteString } from './byte-string.ts';
import type { HeaderList } from './exchange.ts';
import { checked, choice, type Finding, isHeaderName, listOf, record, text } from './fields.ts';
import { headerFields } from './header-fields.ts';
import { definePlugin } from './plugin.ts';
import { changeJsonAnswer, hasJsonRules, type JsonRules, jsonValue } from './response-transformer-json.ts';
import type { TemplateScope } from './template.ts';
import { bodyKindOf } from './transform-body.ts';
import { applyRules, type Rules, splitEntry } from './transform-rules.ts';

const JSON_TYPES = ['boolean', 'number', 'string'] as const;
const lists = (form: string) => ({
  headers: listOf(text()).default([]).describe(`Headers: ${form}.`),
  json: listOf(text()).default([]).describe(`Keys of a JSON object: ${form}.`),
});
const typed = () =>
  record({
    ...lists('name:value'),
    json_types: listOf(choice(JSON_TYPES))
      .default([])
      .describe('Types of the JSON values, by position; string where there is none.'),
  }).prefault({});

const Config = record({
  remove: record(lists('name')).prefault({}).describe('What to take away.'),
  rename: record(lists('old:new')).prefault({}).describe('What to move to another name.'),
  replace: typed().describe('What to change where it is there.'),
  add: typed().describe('What to add where it is not there.'),
  append: typed().describe('Values to add to what is there.'),
});
type ResponseTransformerConfig = z.output<typeof Config>;

const OPERATIONS = ['remove', 'rename', 'replace', 'add', 'append'] as const;
const entriesOf = (config: ResponseTransformerConfig, operation: (typeof OPERATIONS)[number]) =>
  (['headers', 'json'] as const).flatMap((place) =>
    config[operation][place].map((entry, i) => [place, i, entry] as const),
  );

const findings = function* (config: ResponseTransformerConfig): Generator<Finding> {
  for (const operation of OPERATIONS)
    for (const [place, i, entry] of entriesOf(config, operation)) {
      const { name, value } = splitEntry(entry);
      const path = [operation, place, i];
      if (place === 'headers' && !isHeaderName(name))
        yield { path, message: `'${name}' is not a valid header` };
      else if (operation !== 'remove' && value === '') yield { path, message: `key '${name}' has no value` };
      else if (place === 'headers' && operation === 'rename' && !isHeaderName(value))
        yield { path, message: `'${value}' is not a valid header` };
    }
};

/** A value without expressions: Kong evaluates none here. */
const ruleOf = (entry: string) => {
  const { name, value } = splitEntry(entry);
  const source = toByteString(value);
  const fixed = { source, isOnlyTemplates: false, headerNames: [], unknownNames: [], render: () => source };
  return { name, value: fixed };
};

const headerRules = ({ remove, rename, replace, add, append }: ResponseTransformerConfig): Rules => ({
  remove: remove.headers.map((entry) => splitEntry(entry).name),
  rename: rename.headers.map(ruleOf),
  replace: replace.headers.map(ruleOf),
  add: add.headers.map(ruleOf),
  append: append.headers.map(ruleOf),
});

const typedRules = ({ json, json_types }: ResponseTransformerConfig['add']) =>
  json.map(splitEntry).map(({ name, value }, i) => ({ name, value: jsonValue(value, json_types[i]) }));

const prepare = (config: ResponseTransformerConfig) => {
  const { remove, rename, replace, add, append } = config;
  const json: JsonRules = {
    remove: remove.json.map((entry) => splitEntry(entry).name),
    rename: rename.json.map(splitEntry).map(({ name, value }) => ({ name, to: value })),
    replace: typedRules(replace),
    add: typedRules(add),
    append: typedRules(append),
  };
  return { headers: headerRules(config), json: hasJsonRules(json) ? json : undefined };
};

const NO_SCOPE: TemplateScope = {
  header: () => undefined,
  query: () => undefined,
  capture: () => undefined,
};

const isPlainJson = (headers: HeaderList): boolean =>
  bodyKindOf(headers.get('content-type')) === 'json' &&
  (headers.get('content-encoding') ?? 'identity').toLowerCase() === 'identity';

/** Kong's `response-transformer`. */
export const responseTransformer = definePlugin({
  name: 'response-transformer',
  priority: 800,
  summary: 'Changes the headers and the JSON body of the response on its way to the client.',
  config: checked(Config, findings),
  prepare,
  response: ({ toClient }, { headers }) => {
    applyRules(headerFields(toClient), headers, NO_SCOPE);
  },
  wantsBody: ({ toClient }, { json }) => json !== undefined && isPlainJson(toClient),
  body: (_exchange, { json }, body) => json && changeJsonAnswer(body, json),
});

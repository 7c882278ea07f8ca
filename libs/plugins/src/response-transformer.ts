import type { z } from 'zod';
import { toByteString } from './byte-string.ts';
import { checked, type Finding, isHeaderName, listOf, record, text } from './fields.ts';
import { headerFields } from './header-fields.ts';
import { definePlugin } from './plugin.ts';
import type { TemplateScope } from './template.ts';
import { applyRules, type Rules, splitEntry } from './transform-rules.ts';

const NO_JSON =
  'JSON bodies of responses cannot be changed yet; remove the rule, or it would be ignored silently';
const json = () => listOf(text()).max(0, NO_JSON).default([]).describe('Not supported: must be empty.');
const lists = (form: string) => ({
  headers: listOf(text()).default([]).describe(`Headers: ${form}.`),
  json: json(),
});
const typed = () => record({ ...lists('name:value'), json_types: json() }).prefault({});

const Config = record({
  remove: record(lists('name')).prefault({}).describe('Headers to take away.'),
  rename: record(lists('old:new')).prefault({}).describe('Headers to move to another name.'),
  replace: typed().describe('Headers to change when they are there.'),
  add: typed().describe('Headers to add when they are not there.'),
  append: typed().describe('Values to add to what is there.'),
});
type ResponseTransformerConfig = z.output<typeof Config>;

const OPERATIONS = ['remove', 'rename', 'replace', 'add', 'append'] as const;
const findings = function* (config: ResponseTransformerConfig): Generator<Finding> {
  for (const operation of OPERATIONS)
    for (const [i, entry] of config[operation].headers.entries()) {
      const { name, value } = splitEntry(entry);
      const path = [operation, 'headers', i];
      if (!isHeaderName(name)) yield { path, message: `'${name}' is not a valid header` };
      else if (operation !== 'remove' && value === '') yield { path, message: `key '${name}' has no value` };
      else if (operation === 'rename' && !isHeaderName(value))
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

const prepare = ({ remove, rename, replace, add, append }: ResponseTransformerConfig): Rules => ({
  remove: remove.headers.map((entry) => splitEntry(entry).name),
  rename: rename.headers.map(ruleOf),
  replace: replace.headers.map(ruleOf),
  add: add.headers.map(ruleOf),
  append: append.headers.map(ruleOf),
});

const NO_SCOPE: TemplateScope = {
  header: () => undefined,
  query: () => undefined,
  capture: () => undefined,
};

/** Kong's `response-transformer`, headers only. */
export const responseTransformer = definePlugin({
  name: 'response-transformer',
  priority: 800,
  summary: 'Changes the headers of the response on its way to the client.',
  config: checked(Config, findings),
  prepare,
  response: ({ toClient }, rules) => {
    applyRules(headerFields(toClient), rules, NO_SCOPE);
  },
});

import { fromByteString } from './byte-string.ts';
import { multipartValues } from './multipart.ts';
import { parseArgs } from './query-args.ts';
import type { TemplateScope } from './template.ts';
import { bodyKindOf, changeBody, parseObject } from './transform-body.ts';
import type { Rules } from './transform-rules.ts';

const jsonValues = (body: Buffer, name: string): readonly unknown[] => {
  const value = parseObject(body)?.get(name);
  return value === undefined ? [] : [value];
};

const formValues = (body: Buffer, name: string): readonly unknown[] =>
  parseArgs(body.toString('latin1'))
    .filter((arg) => arg.name === name)
    .map(({ value }) => (value === true ? value : fromByteString(value)));

/** What stands under a name in a form, a multipart form or a JSON object; texts as Unicode. */
export const bodyValues = (body: Buffer, contentType: string, name: string): readonly unknown[] => {
  switch (bodyKindOf(contentType)) {
    case 'json':
      return jsonValues(body, name);
    case 'form':
      return formValues(body, name);
    case 'multipart':
      return multipartValues(body, contentType, name).map(fromByteString);
    case undefined:
      return [];
  }
};

// Without templates nothing is looked up.
const NO_SCOPE: TemplateScope = {
  header: () => undefined,
  query: () => undefined,
  capture: () => undefined,
};
const NO_RULES: Rules = { remove: [], rename: [], replace: [], add: [], append: [] };

/** The body without a name, or undefined when it has none of that name. */
export const removeFromBody = (body: Buffer, contentType: string, name: string): Buffer | undefined =>
  changeBody(body, contentType, { ...NO_RULES, remove: [name] }, NO_SCOPE);

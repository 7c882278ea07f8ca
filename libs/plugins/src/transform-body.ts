import { isUtf8 } from 'node:buffer';
import { fromByteString } from './byte-string.ts';
import { changeMultipart } from './multipart.ts';
import { argFields, formatArgs, parseArgs } from './query-args.ts';
import type { TemplateScope } from './template.ts';
import { applyRules, type Fields, type Rules } from './transform-rules.ts';

export type BodyKind = 'json' | 'form' | 'multipart';

/** How a body is written, by its Content-Type; undefined where rules cannot be applied. */
export const bodyKindOf = (contentType: string | undefined): BodyKind | undefined => {
  const type = contentType?.toLowerCase() ?? '';
  if (type.includes('application/json')) return 'json';
  if (type.includes('multipart/form-data')) return 'multipart';
  return type.includes('application/x-www-form-urlencoded') ? 'form' : undefined;
};

// Numbers that a double cannot hold keep their digits. TypeScript does not know `JSON.rawJSON` yet.
const { rawJSON } = JSON as unknown as { rawJSON: (source: string) => unknown };
const keepDigits = (_: string, value: unknown, context: { readonly source?: string }): unknown =>
  typeof value === 'number' && String(value) !== context.source ? rawJSON(context.source ?? 'null') : value;

/** The fields of a JSON object; undefined for any other body. Numbers keep their digits. */
export const parseObject = (body: Buffer): Map<string, unknown> | undefined => {
  if (!isUtf8(body)) return undefined;
  try {
    const value: unknown = JSON.parse(
      body.toString(),
      keepDigits as (key: string, value: unknown) => unknown,
    );
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // A map, so that a key `__proto__` is a key like any other.
    return isObject ? new Map(Object.entries(value)) : undefined;
  } catch {
    return undefined; // not JSON: it goes on as it came, and the upstream judges it
  }
};

const jsonFields = (object: Map<string, unknown>): Fields => ({
  has: (name) => object.has(name),
  remove: (name) => {
    object.delete(name);
  },
  rename: (from, to) => {
    const value = object.get(from);
    object.delete(from);
    object.set(to, value);
  },
  set: (name, value) => {
    object.set(name, fromByteString(value));
  },
  append: (name, value) => {
    const old = object.get(name);
    const list = Array.isArray(old) ? old : old === undefined ? [] : [old];
    object.set(name, old === undefined ? fromByteString(value) : [...list, fromByteString(value)]);
  },
});

// On an empty body there is nothing to take away or to change, only to add.
const onlyAdditions = (rules: Rules): Rules => ({ ...rules, remove: [], rename: [], replace: [] });

/** The reverse of `parseObject`. */
export const printObject = (object: Map<string, unknown>): Buffer =>
  Buffer.from(JSON.stringify(Object.fromEntries(object)));

const changeJson = (body: Buffer, rules: Rules, scope: TemplateScope): Buffer | undefined => {
  const isEmpty = body.length === 0;
  const object = isEmpty ? new Map<string, unknown>() : parseObject(body);
  if (object === undefined) return undefined;
  const isChanged = applyRules(jsonFields(object), isEmpty ? onlyAdditions(rules) : rules, scope);
  return isChanged ? printObject(object) : undefined;
};

const changeForm = (body: Buffer, rules: Rules, scope: TemplateScope): Buffer | undefined => {
  const args = parseArgs(body.toString('latin1'));
  return applyRules(argFields(args), rules, scope) ? Buffer.from(formatArgs(args), 'latin1') : undefined;
};

/** The body after the rules, or undefined when it stays as it is. */
export const changeBody = (
  body: Buffer,
  contentType: string,
  rules: Rules,
  scope: TemplateScope,
): Buffer | undefined => {
  switch (bodyKindOf(contentType)) {
    case 'json':
      return changeJson(body, rules, scope);
    case 'form':
      return changeForm(body, rules, scope);
    case 'multipart':
      return changeMultipart(body, contentType, rules, scope);
    case undefined:
      return undefined;
  }
};

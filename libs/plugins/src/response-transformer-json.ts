import { parseObject, printObject } from './transform-body.ts';

/** What a value of a rule becomes: a number that is none, and text that is no number, leave the rule out. */
export type JsonType = 'boolean' | 'number' | 'string';

interface JsonRule {
  readonly name: string;
  readonly value: string | number | boolean | undefined;
}

/** The rules for the keys of a JSON object, in the order in which they apply. */
export interface JsonRules {
  readonly remove: readonly string[];
  readonly rename: readonly { readonly name: string; readonly to: string }[];
  readonly replace: readonly JsonRule[];
  readonly add: readonly JsonRule[];
  readonly append: readonly JsonRule[];
}

/** A rule's value in the type that stands at its place in `json_types`. */
export const jsonValue = (value: string, type: JsonType | undefined): JsonRule['value'] => {
  if (type === 'boolean') return value === 'true';
  if (type !== 'number') return value;
  const number = Number(value);
  return value.trim() === '' || !Number.isFinite(number) ? undefined : number;
};

/** True when there is at least one rule. */
export const hasJsonRules = (rules: JsonRules): boolean =>
  Object.values(rules).some((list) => list.length > 0);

const appended = (before: unknown, value: unknown): unknown[] => {
  if (Array.isArray(before)) return [...before, value];
  return typeof before === 'string' ? [before, value] : [value]; // as Kong: a number gives way
};

/** The body after the rules; undefined when it stays as it is, which is so for all that is no JSON object. */
export const changeJsonAnswer = (body: Buffer, rules: JsonRules): Buffer | undefined => {
  const object = parseObject(body);
  if (object === undefined) return undefined;
  for (const name of rules.remove) object.delete(name);
  for (const { name, to } of rules.rename) {
    if (!object.has(name)) continue;
    const value = object.get(name);
    object.delete(name);
    object.set(to, value);
  }
  for (const { name, value } of rules.replace)
    if (value !== undefined && object.has(name)) object.set(name, value);
  for (const { name, value } of rules.add)
    if (value !== undefined && !object.has(name)) object.set(name, value);
  for (const { name, value } of rules.append)
    if (value !== undefined) object.set(name, appended(object.get(name), value));
  return printObject(object);
};

/*
 * The same checks as `checkFields`, compiled once per schema and without words: a large configuration is nearly
 * always right, so nothing is kept for telling where a mistake is. Where anything is wrong, or not plain, the
 * answer is NOT_CLEAN and the other checker looks again and words it. A test compares the two.
 *
 * Loops count: the first large configuration of a process is checked by code that V8 has not compiled yet, and there
 * `for … of` makes an object for each step, a seventh of all that loading 10,000 routes allocated.
 */
import { isRecord, own } from '../path.ts';
import { isUuid, MAX_ITEMS, MAX_LENGTH } from './check-fields.ts';
import type { Field, Fields } from './field.ts';

export const NOT_CLEAN = Symbol('not clean');

/** The value as it is stored, or NOT_CLEAN. */
type Quick = (value: unknown) => unknown;

/** A record as it is stored, or NOT_CLEAN. */
export type QuickRecord = (
  value: Readonly<Record<string, unknown>>,
) => Record<string, unknown> | typeof NOT_CLEAN;

const isUnset = (value: unknown): boolean => value === null || value === undefined;

/**
 * Compiles a record's fields. Keys come out sorted, which makes the canonical text of an entity cheap. `ignored`
 * may be there and are dropped; `absent` must not be there and are null.
 */
export const compileFields = (
  fields: Fields,
  { ignored = new Set(), absent = [] }: { ignored?: ReadonlySet<string>; absent?: readonly string[] } = {},
): QuickRecord => {
  const names = Object.keys(fields).sort();
  const checks = new Map(names.map((name) => [name, quickValue(fields[name] as Field)]));
  for (const name of absent) checks.set(name, () => NOT_CLEAN);
  const unset = names.map((name) => [name, absent.includes(name) ? null : unsetValue(fields[name] as Field)]);
  const required = unset.filter(([, value]) => value === NOT_CLEAN).map(([name]) => String(name));
  const template = Object.fromEntries(
    unset.map(([name, value]) => [name, value === NOT_CLEAN ? null : value]),
  );
  return (value) => {
    const result: Record<string, unknown> = { ...template };
    const given = Object.keys(value);
    for (let at = 0; at < given.length; at += 1) {
      const name = given[at] as string;
      const check = checks.get(name);
      if (check === undefined) {
        if (ignored.has(name)) continue;
        return NOT_CLEAN;
      }
      const item = value[name];
      if (isUnset(item)) continue;
      const checked = check(item);
      if (checked === NOT_CLEAN) return NOT_CLEAN;
      result[name] = checked;
    }
    for (let at = 0; at < required.length; at += 1)
      if (isUnset(own(value, required[at] as string))) return NOT_CLEAN;
    return result;
  };
};

/** What stands for a value that is not given; NOT_CLEAN where there must be one. Stored entities share it. */
const unsetValue = (field: Field): unknown => {
  if (field.default !== undefined) return field.default;
  if (field.required !== true) return null;
  return field.type === 'record' ? compileFields(field.fields)({}) : NOT_CLEAN;
};

/** For a value that is given: not null, not undefined. */
const quickValue = (field: Field): Quick => {
  switch (field.type) {
    case 'array':
    case 'set':
      return quickList(field);
    case 'map':
      return quickMap(field);
    case 'record': {
      const record = compileFields(field.fields);
      return (value) => (isRecord(value) ? record(value) : NOT_CLEAN);
    }
    case 'foreign':
      return quickForeign;
    case 'any':
      return ruled(field);
    case 'integer':
      return typed(Number.isSafeInteger, ruled(field));
    case 'number':
      return typed(Number.isFinite, ruled(field));
    case 'string':
    case 'boolean':
      return typed((value) => typeof value === field.type, ruled(field));
  }
};

const typed =
  (isRight: (value: unknown) => boolean, rules: Quick): Quick =>
  (value) =>
    isRight(value) ? rules(value) : NOT_CLEAN;

type Rule = (value: never) => boolean;

/** The rules a field has, each as a question whose answer is no where it is broken. */
const rulesOf = (field: Field): Rule[] => {
  const { between, greaterThan, lengthMin, uuid, oneOf, check } = field;
  const rules: Rule[] = [];
  if (field.type === 'string' || field.type === 'any')
    rules.push((value: unknown) => typeof value !== 'string' || value.length <= MAX_LENGTH);
  if (between !== undefined) rules.push((value: number) => value >= between[0] && value <= between[1]);
  if (greaterThan !== undefined) rules.push((value: number) => value > greaterThan);
  if (lengthMin !== undefined) rules.push((value: string | unknown[]) => value.length >= lengthMin);
  if (uuid === true) rules.push(isUuid);
  if (oneOf !== undefined) rules.push((value: string | number) => oneOf.includes(value));
  if (check !== undefined) rules.push((value: never) => check(value) === undefined);
  return rules;
};

const ruled = (field: Field): Quick => {
  const rules = rulesOf(field);
  const { normalize } = field;
  return (value) => {
    for (let at = 0; at < rules.length; at += 1) if (!(rules[at] as Rule)(value as never)) return NOT_CLEAN;
    return normalize === undefined ? value : normalize(value as never);
  };
};

const quickList = (field: Extract<Field, { elements: Field }>): Quick => {
  const element = quickValue(field.elements);
  const finish = ruled(field);
  return (value) => {
    if (!Array.isArray(value) || value.length > MAX_ITEMS) return NOT_CLEAN;
    let items: unknown[] = value; // as submitted where every item is stored as it is: nobody changes either
    for (let place = 0; place < value.length; place += 1) {
      const item: unknown = value[place];
      if (isUnset(item)) return NOT_CLEAN;
      const checked = element(item);
      if (checked === NOT_CLEAN) return NOT_CLEAN;
      if (checked === item) continue;
      if (items === value) items = [...value];
      items[place] = checked;
    }
    return finish(field.type === 'set' ? withoutRepetitions(items) : items);
  };
};

const FEW = 8; // items that are compared one by one

const withoutRepetitions = (items: unknown[]): unknown[] => {
  if (items.length > FEW) return [...new Set(items)];
  for (let place = 1; place < items.length; place += 1)
    if (items.indexOf(items[place]) !== place) return [...new Set(items)];
  return items;
};

const quickMap = (field: Extract<Field, { values: Field }>): Quick => {
  const key = field.keys === undefined ? undefined : quickValue(field.keys);
  const item = quickValue(field.values);
  const finish = ruled(field);
  return (value) => {
    if (!isRecord(value)) return NOT_CLEAN;
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      if (isUnset(value[name]) || (key !== undefined && key(name) === NOT_CLEAN)) return NOT_CLEAN;
      const checked = item(value[name]);
      if (checked === NOT_CLEAN) return NOT_CLEAN;
      result[name] = checked;
    }
    return finish(result);
  };
};

/** A name or id as text, or `{id}` and nothing else. */
const quickForeign: Quick = (value) => {
  if (typeof value === 'string') return value.length > 0 && value.length <= MAX_LENGTH ? value : NOT_CLEAN;
  if (!isRecord(value) || Object.keys(value).length !== 1) return NOT_CLEAN;
  const id = own(value, 'id');
  return isUuid(id) ? { id } : NOT_CLEAN;
};

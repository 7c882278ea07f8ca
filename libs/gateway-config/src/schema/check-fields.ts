import { isRecord, own } from '../path.ts';
import type { Field, Fields } from './field.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for what Kong takes as an id. */
export const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);

/** One thing that is wrong, seen from where the checking began. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The names that would have been right here; for suggestions. */
  readonly candidates?: readonly string[];
  /** `[]` means: the entity is not even an entity. Else a finding at `[]` is about several fields. */
  readonly whole?: true;
}

/** Collects findings under the path the checker is at. */
export interface Checker {
  readonly path: (string | number)[];
  readonly findings: Finding[];
}

export const newChecker = (path: readonly (string | number)[] = []): Checker => ({
  path: [...path],
  findings: [],
});

/** Characters of one text; a certificate with its chain has some thousands. */
export const MAX_LENGTH = 65_536;
/** Items of one list, such as the paths of a route. */
export const MAX_ITEMS = 10_000;
/** Findings of one entity; more of them help no one. */
const MAX_FINDINGS = 1000;

const find = (checker: Checker, message: string, candidates?: readonly string[]): void => {
  if (checker.findings.length >= MAX_FINDINGS) return;
  const path = [...checker.path];
  checker.findings.push(candidates === undefined ? { path, message } : { path, message, candidates });
};

const within = <T>(checker: Checker, step: string | number, run: () => T): T => {
  checker.path.push(step);
  const result = run();
  checker.path.pop();
  return result;
};

const TYPE_MESSAGES = {
  string: 'expected a string',
  integer: 'expected an integer',
  number: 'expected a number',
  boolean: 'expected a boolean',
  array: 'expected an array',
  set: 'expected a set',
  map: 'expected a map',
  record: 'expected a record',
} as const;

/** The value as it is stored: defaults filled, unset ones null. What is wrong goes to the checker. */
export const checkField = (checker: Checker, field: Field, value: unknown): unknown => {
  if (value === null || value === undefined) return checkUnset(checker, field);
  switch (field.type) {
    case 'array':
    case 'set':
      return checkList(checker, field, value);
    case 'map':
      return checkMap(checker, field, value);
    case 'record':
      return isRecord(value) || isEmptyList(value)
        ? checkFields(checker, field.fields, isRecord(value) ? value : {})
        : refuse(checker, TYPE_MESSAGES.record, value);
    case 'foreign':
      return checkForeign(checker, value);
    case 'any':
      return applyRules(checker, field, value);
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return isOfType(field.type, value)
        ? applyRules(checker, field, value)
        : refuse(checker, TYPE_MESSAGES[field.type], value);
  }
};

/** All fields of a record; unknown ones are found. `ignored` may be there and are dropped. */
export const checkFields = (
  checker: Checker,
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
  ignored: ReadonlySet<string> = new Set(),
): Record<string, unknown> => {
  for (const key of Object.keys(value))
    if (!Object.hasOwn(fields, key) && !ignored.has(key))
      within(checker, key, () => find(checker, 'unknown field', Object.keys(fields)));
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const field = fields[name];
    if (field === undefined) continue;
    checker.path.push(name);
    result[name] = checkField(checker, field, own(value, name));
    checker.path.pop();
  }
  return result;
};

const refuse = (checker: Checker, message: string, value: unknown): unknown => {
  find(checker, message);
  return value;
};

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
const isEmptyRecord = (value: unknown): boolean => isRecord(value) && Object.keys(value).length === 0;

const checkUnset = (checker: Checker, field: Field): unknown => {
  if (field.default !== undefined) return field.default; // shared: stored entities never change
  if (field.type === 'record' && field.required === true) return checkFields(checker, field.fields, {});
  if (field.required === true) find(checker, 'required field missing');
  return null;
};

const isOfType = (type: 'string' | 'integer' | 'number' | 'boolean', value: unknown): boolean => {
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'number') return Number.isFinite(value);
  return type === 'string' ? typeof value === 'string' : typeof value === 'boolean';
};

const ruleBroken = (field: Field, value: unknown): string | undefined => {
  if (typeof value === 'string' && value.length > MAX_LENGTH) return `length must be at most ${MAX_LENGTH}`;
  if (field.between !== undefined) {
    const [low, high] = field.between;
    const number = value as number;
    if (number < low || number > high) return `value should be between ${low} and ${high}`;
  }
  if (field.greaterThan !== undefined && (value as number) <= field.greaterThan)
    return `value must be greater than ${field.greaterThan}`;
  if (field.lengthMin !== undefined && (value as string | unknown[]).length < field.lengthMin)
    return `length must be at least ${field.lengthMin}`;
  if (field.uuid === true && !isUuid(value)) return 'expected a valid UUID';
  if (field.oneOf !== undefined && !field.oneOf.includes(value as string | number))
    return `expected one of: ${field.oneOf.join(', ')}`;
  return field.check?.(value as never);
};

const applyRules = (checker: Checker, field: Field, value: unknown): unknown => {
  const message = ruleBroken(field, value);
  if (message !== undefined) {
    find(checker, message, field.oneOf?.map(String));
    return value;
  }
  return field.normalize === undefined ? value : field.normalize(value as never);
};

const checkList = (checker: Checker, field: Extract<Field, { elements: Field }>, value: unknown): unknown => {
  if (!Array.isArray(value) && !isEmptyRecord(value))
    return refuse(checker, TYPE_MESSAGES[field.type], value);
  if (Array.isArray(value) && value.length > MAX_ITEMS)
    return refuse(checker, `length must be at most ${MAX_ITEMS}`, value);
  const before = checker.findings.length;
  const items: unknown[] = [];
  for (const [index, item] of (Array.isArray(value) ? value : []).entries()) {
    checker.path.push(index);
    const { elements } = field;
    if (item === null)
      find(
        checker,
        elements.type === 'any' || elements.type === 'foreign'
          ? 'required field missing'
          : TYPE_MESSAGES[elements.type],
      );
    else items.push(checkField(checker, elements, item));
    checker.path.pop();
  }
  if (checker.findings.length > before) return items;
  return applyRules(checker, field, field.type === 'set' ? [...new Set(items)] : items);
};

const checkMap = (checker: Checker, field: Extract<Field, { values: Field }>, value: unknown): unknown => {
  if (!isRecord(value) && !isEmptyList(value)) return refuse(checker, TYPE_MESSAGES.map, value);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value as object)) {
    // Kong reports the first problem of a map on the map itself.
    const inside = newChecker();
    if (field.keys !== undefined) checkField(inside, field.keys, key);
    const checked = checkField(inside, field.values, item);
    const first = inside.findings[0];
    if (first !== undefined) {
      find(checker, first.message);
      return value;
    }
    result[key] = checked;
  }
  return applyRules(checker, field, result);
};

/** A reference as a declarative file writes it: name or id as text, or `{id}`. */
const checkForeign = (checker: Checker, value: unknown): unknown => {
  if (typeof value === 'string') return applyRules(checker, { type: 'string', lengthMin: 1 }, value);
  if (!isRecord(value)) return refuse(checker, TYPE_MESSAGES.string, value);
  const id = own(value, 'id');
  if (id === undefined || id === null) within(checker, 'id', () => find(checker, 'missing primary key'));
  else if (!isUuid(id)) within(checker, 'id', () => find(checker, 'expected a valid UUID'));
  for (const key of Object.keys(value))
    if (id !== undefined && key !== 'id') within(checker, key, () => find(checker, 'unknown field', ['id']));
  return { id };
};

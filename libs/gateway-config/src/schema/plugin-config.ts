/*
 * Plugins describe their configuration with zod; people get Kong's words. A message that a plugin's schema sets
 * itself is passed on: zod asks the translation below only where there is none.
 */
import type { z } from 'zod';
import type { PluginRules } from '../catalog.ts';
import { isRecord } from '../path.ts';
import type { Checker } from './check-fields.ts';
import { boundsAt, isInteger, keysAt } from './zod-schema.ts';

type Issue = Parameters<z.core.$ZodErrorMap>[0];

const TYPES: Readonly<Record<string, string>> = {
  string: 'expected a string',
  number: 'expected a number',
  int: 'expected an integer',
  boolean: 'expected a boolean',
  array: 'expected an array',
  set: 'expected a set',
  map: 'expected a map',
  record: 'expected a map',
  object: 'expected a record',
  null: 'value must be null',
};

const pathOf = (issue: Issue): readonly PropertyKey[] => issue.path ?? [];

const isMissing = (input: unknown): boolean => input === undefined || input === null;

const typeMessage = (issue: Issue & { code: 'invalid_type' }, root: z.core.$ZodType): string => {
  if (isMissing(issue.input)) return 'required field missing';
  if (issue.expected === 'int' || (issue.expected === 'number' && isInteger(root, pathOf(issue))))
    return 'expected an integer';
  return TYPES[issue.expected] ?? `expected ${issue.expected}`;
};

const valueMessage = (issue: Issue & { code: 'invalid_value' }): string => {
  if (isMissing(issue.input)) return 'required field missing';
  if (issue.values.length === 1) return `value must be ${String(issue.values[0])}`;
  if (issue.values.every((value) => typeof value === 'string') && typeof issue.input !== 'string')
    return 'expected a string';
  return `expected one of: ${issue.values.join(', ')}`;
};

const sizeMessage = (issue: Issue & { code: 'too_small' | 'too_big' }, root: z.core.$ZodType): string => {
  const limit = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  if (issue.origin !== 'number' && issue.origin !== 'int' && issue.origin !== 'bigint')
    return issue.code === 'too_small'
      ? `length must be at least ${limit}`
      : `length must be at most ${limit}`;
  const both = boundsAt(root, pathOf(issue));
  if (both !== undefined) return `value should be between ${both[0]} and ${both[1]}`;
  if (issue.code === 'too_big') return `value must be at most ${limit}`;
  return issue.inclusive === false
    ? `value must be greater than ${limit}`
    : `value must be at least ${limit}`;
};

const formatMessage = (issue: Issue & { code: 'invalid_format' }): string => {
  const { format, input } = issue as { format: string; input?: unknown };
  if (format === 'uuid' || format === 'guid') return 'expected a valid UUID';
  if (format === 'url')
    return /^[a-z][a-z0-9+.-]*:/i.test(String(input)) ? 'missing host in url' : 'missing scheme in url';
  if (format === 'starts_with') return `should start with: ${(issue as { prefix?: string }).prefix ?? ''}`;
  return 'invalid value';
};

/** Kong's words for one issue. */
const kongMessage = (issue: Issue, root: z.core.$ZodType): string => {
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue, root);
    case 'invalid_value':
      return valueMessage(issue);
    case 'too_small':
    case 'too_big':
      return sizeMessage(issue, root);
    case 'invalid_format':
      return formatMessage(issue);
    case 'unrecognized_keys':
      return 'unknown field';
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return (issue as { issues?: { message?: string }[] }).issues?.[0]?.message ?? 'invalid value';
    case 'custom':
    case 'not_multiple_of':
      return issue.message ?? 'invalid value';
  }
};

/** Null means "not set" in a declarative file, so the schema's default applies. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, withoutNulls(item)]])),
  );
};

/** Checks a plugin's `config`; findings go to the checker, which stands at the plugin. */
export const checkPluginConfig = (checker: Checker, rules: PluginRules, submitted: unknown): unknown => {
  const base = checker.path;
  if (submitted !== null && submitted !== undefined && !isRecord(submitted) && !isEmptyArray(submitted)) {
    checker.findings.push({ path: [...base, 'config'], message: 'expected a record' });
    return submitted;
  }
  const error = (issue: Issue): string => kongMessage(issue, rules.config);
  const parsed = rules.config.safeParse(withoutNulls(isRecord(submitted) ? submitted : {}), { error });
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    if (issue.code === 'unrecognized_keys') {
      const candidates = keysAt(rules.config, issue.path);
      for (const key of issue.keys)
        checker.findings.push({
          path: [...base, 'config', ...path, key],
          message: 'unknown field',
          candidates,
        });
    } else
      checker.findings.push({
        path: path.length === 0 ? [...base] : [...base, 'config', ...path],
        message: issue.message,
      });
  }
  return submitted;
};

const isEmptyArray = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

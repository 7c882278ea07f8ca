import type { Template, TemplateScope } from './template.ts';

/** A set of named values that rules can change: headers, query arguments, form fields or JSON keys. */
export interface Fields {
  has(name: string): boolean;
  remove(name: string): void;
  /** Moves all values of a name that is there to another, over what that one had. */
  rename(from: string, to: string): void;
  /** Replaces all values of the name by one. */
  set(name: string, value: string): void;
  append(name: string, value: string): void;
}

/** One `name:value` line of a configuration. */
export interface Rule {
  readonly name: string;
  readonly value: Template;
}

/** Rules for one kind of fields, in the order in which they apply. */
export interface Rules {
  readonly remove: readonly string[];
  readonly rename: readonly Rule[];
  readonly replace: readonly Rule[];
  readonly add: readonly Rule[];
  readonly append: readonly Rule[];
}

/** Splits an entry at its first colons, as Kong's `^([^:]+):*(.-)$` does. */
export const splitEntry = (entry: string): { name: string; value: string } => {
  const [, name = '', value = ''] = /^([^:]+):*(.*)$/s.exec(entry) ?? [];
  return { name, value };
};

export const hasRules = (rules: Rules): boolean => Object.values(rules).some((list) => list.length > 0);

/** Applies the rules (remove, rename, replace, add, append) and says whether anything changed. */
export const applyRules = (fields: Fields, rules: Rules, scope: TemplateScope): boolean => {
  let isChanged = false;
  for (const name of rules.remove)
    if (fields.has(name)) {
      fields.remove(name);
      isChanged = true;
    }
  for (const { name, value } of rules.rename) {
    const to = value.render(scope);
    if (to === '' || !fields.has(name)) continue;
    fields.rename(name, to);
    isChanged = true;
  }
  for (const { name, value } of rules.replace) {
    const text = value.render(scope);
    if (!fields.has(name)) continue;
    fields.set(name, text);
    isChanged = true;
  }
  return applyAdditions(fields, rules, scope) || isChanged;
};

// Kong adds an empty field where a template finds nothing, which upstreams take for a tenant without a name.
const isNoValue = (text: string, value: Template): boolean => text === '' && value.isOnlyTemplates;

const applyAdditions = (fields: Fields, rules: Rules, scope: TemplateScope): boolean => {
  let isChanged = false;
  for (const { name, value } of rules.add) {
    const text = value.render(scope);
    if (isNoValue(text, value) || fields.has(name)) continue;
    fields.set(name, text);
    isChanged = true;
  }
  for (const { name, value } of rules.append) {
    const text = value.render(scope);
    if (isNoValue(text, value)) continue;
    fields.append(name, text);
    isChanged = true;
  }
  return isChanged;
};

import { isRecord } from '../path.ts';
import type { Field, Fields } from './field.ts';

const MAX_STEPS = 16; // nesting of one key
const MAX_INDEX = 1000;

type Node = { values: string[]; inside: Map<string, Node> };
const newNode = (): Node => ({ values: [], inside: new Map() });

/** The steps of `config.redis.host`, `paths[]`, `paths[2]`; undefined: deeper than any configuration. */
const stepsOf = (key: string): string[] | undefined => {
  const steps = key.split(/\.|(?=\[\d*\])/);
  return steps.length <= MAX_STEPS ? steps : undefined;
};

const treeOf = (entries: Iterable<readonly [string, string]>): Node => {
  const root = newNode();
  for (const [key, value] of entries) {
    let node = root;
    for (const step of stepsOf(key) ?? [key]) {
      if (step === '[]') continue; // the values of one node are a list by themselves
      const next = node.inside.get(step) ?? newNode();
      node.inside.set(step, next);
      node = next;
    }
    node.values.push(value);
  }
  return root;
};

/** Entries of a form as an entity: dots and brackets are structure, values are typed by the fields. */
export const readForm = (
  fields: Fields,
  entries: Iterable<readonly [string, string]>,
): Record<string, unknown> => {
  const value = valueIn(treeOf(entries), { type: 'record', fields });
  return isRecord(value) ? value : {};
};

const indexesOf = ({ inside }: Node): [number, Node][] =>
  [...inside].flatMap(([step, node]): [number, Node][] => {
    const index = /^\[(\d+)\]$/.exec(step)?.[1];
    return index === undefined || Number(index) > MAX_INDEX ? [] : [[Number(index), node]];
  });

const listOf = (node: Node, elements: Field | undefined): unknown[] => [
  ...node.values.map((text) => scalarOf(text, elements)),
  ...indexesOf(node)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => valueIn(item, elements)),
];

const valueIn = (node: Node, field: Field | undefined): unknown => {
  if (field?.type === 'array' || field?.type === 'set') {
    const isEmpty = node.inside.size === 0 && node.values.length === 1 && node.values[0] === '';
    return isEmpty ? null : listOf(node, field.elements);
  }
  const indexes = indexesOf(node);
  if (node.inside.size > 0 && indexes.length < node.inside.size)
    return Object.fromEntries(
      [...node.inside].map(([name, inner]) => [name, valueIn(inner, insideOf(field, name))]),
    );
  if (indexes.length > 0 || node.values.length > 1) return listOf(node, undefined);
  return scalarOf(node.values[0] ?? '', field);
};

const insideOf = (field: Field | undefined, name: string): Field | undefined => {
  if (field?.type === 'map') return field.values;
  if (field?.type !== 'record') return undefined;
  return Object.hasOwn(field.fields, name) ? field.fields[name] : undefined;
};

/** Text that is not of the type stays text: the checker says what was expected. */
const scalarOf = (text: string, field: Field | undefined): unknown => {
  if (text === '') return null;
  if (field?.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (field?.type === 'integer' || field?.type === 'number')
    return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
  return text;
};

import { afterAll, beforeAll, expect, test } from 'vitest';
import { validate } from './plugin-cases.ts';
import { FIELDS, type FieldSpec, SMALLEST } from './plugin-fields.ts';
import { type Document, World } from './world.ts';

type Schema = { readonly fields?: readonly Readonly<Record<string, Schema>>[] };

let world: World;
const schemas = new Map<string, Schema>();
beforeAll(async () => {
  world = await World.shared();
  for (const plugin of Object.keys(FIELDS)) {
    const schema = (await world.admin(`/schemas/plugins/${plugin}`)).json<Schema>();
    schemas.set(plugin, fieldIn(schema, 'config') ?? {});
  }
});
afterAll(() => world[Symbol.asyncDispose]());

/** A field of a record, as `{ "<name>": {…} }` in its list. */
const fieldIn = (record: Schema | undefined, name: string): Schema | undefined =>
  record?.fields?.find((field) => name in field)?.[name];
const fieldAt = (plugin: string, path: string): Schema | undefined =>
  path.split('.').reduce<Schema | undefined>(fieldIn, schemas.get(plugin));

const ROWS = Object.entries(FIELDS).flatMap(([plugin, fields]) =>
  Object.entries(fields).map(([path, spec]) => ({ plugin, path, spec })),
);

test.each(ROWS)('$plugin $path: its schema is that of Kong', ({ plugin, path, spec }) => {
  expect(fieldAt(plugin, path)).toMatchObject(spec);
});

/** Plugins of our own, and those whose fields plugin-tracing-schema.test.ts has. */
const ELSEWHERE = [
  ...['oidc', 'prompt-guard', 'request-id', 'request-validation', 'response-validation', 'shadow'],
  ...['tenant-binding', 'opentelemetry', 'zipkin'],
  'my-plugin', // the sample in plugins/
];

/** Every field of a record that is no record itself, `redis.host`. */
const leavesOf = ({ fields = [] }: Schema, at = ''): string[] =>
  fields
    .flatMap((field) => Object.entries(field))
    .flatMap(([name, field]) =>
      field.fields === undefined ? [`${at}${name}`] : leavesOf(field, `${at}${name}.`),
    );

test('every plugin that is loaded has its fields here or in the tests of tracing', async () => {
  const { enabled_plugins: names } = (await world.admin('/plugins/enabled')).json<{
    enabled_plugins: string[];
  }>();
  expect([...names].sort()).toEqual([...Object.keys(FIELDS), ...ELSEWHERE].sort());
});

test.each(Object.keys(FIELDS))('%s: no field of its schema is missing here', (plugin) => {
  expect(leavesOf(schemas.get(plugin) ?? {}).sort()).toEqual(Object.keys(FIELDS[plugin] ?? {}).sort());
});

const nested = (path: readonly string[], value: unknown): unknown => {
  const [first, ...rest] = path;
  return first === undefined ? value : { [first]: nested(rest, value) };
};
const merged = (a: Document, b: Document): Document => ({
  ...a,
  ...Object.fromEntries(Object.entries(b).map(([key, value]) => [key, value])),
});
/** The smallest valid configuration with one field set. */
const configWith = (plugin: string, path: string, value: unknown): Document =>
  merged(SMALLEST[plugin] ?? {}, nested(path.split('.'), value) as Document);

interface Probe {
  readonly value: unknown;
  readonly message: unknown;
}
const WRONG: Readonly<Record<string, Probe>> = {
  string: { value: 7, message: 'expected a string' },
  boolean: { value: 'yes', message: 'expected a boolean' },
  number: { value: 'x', message: 'expected a number' },
  integer: { value: 1.5, message: 'expected an integer' },
  array: { value: 'x', message: 'expected an array' },
  set: { value: 'x', message: 'expected a set' },
  map: { value: 'x', message: 'expected a map' },
};
/** What a field refuses, with the message; of a list's elements under their position. */
const probesOf = ({ type, one_of, between, gt, elements }: FieldSpec): Probe[] => {
  const probes = [WRONG[type] as Probe];
  if (one_of !== undefined) probes.push({ value: 'nope', message: `expected one of: ${one_of.join(', ')}` });
  if (gt !== undefined) probes.push({ value: gt, message: `value must be greater than ${gt}` });
  if (between !== undefined) {
    const [low, high] = between;
    const message = `value should be between ${low} and ${high}`;
    probes.push({ value: low - 1, message }, { value: high + 1, message });
  }
  const inner = elements === undefined ? [] : probesOf(elements);
  return [...probes, ...inner.map(({ value, message }) => ({ value: [value], message: [message] }))];
};
const PROBES = ROWS.flatMap(({ plugin, path, spec }) =>
  probesOf(spec).map(({ value, message }) => ({ plugin, path, value, message })),
);

test.each(PROBES)(
  '$plugin $path: given $value, then "$message"',
  async ({ plugin, path, value, message }) => {
    const answer = await validate(world, plugin, configWith(plugin, path, value));
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: 2, name: 'schema violation' });
    const { fields } = answer.json<{ fields: unknown }>();
    expect(fields).toEqual(nested(['config', ...path.split('.')], message));
    if (typeof message === 'string')
      expect(answer.json()).toMatchObject({ message: `schema violation (config.${path}: ${message})` });
  },
);

test.each(ROWS.filter(({ spec }) => spec.required === true && spec.default === undefined))(
  '$plugin $path: given nothing, then it is required',
  async ({ plugin, path }) => {
    const { [path]: _left, ...rest } = SMALLEST[plugin] ?? {};
    const { fields } = (await validate(world, plugin, rest)).json<{ fields: unknown }>();
    expect(fields).toEqual({ config: { [path]: 'required field missing' } });
  },
);

test.each(Object.keys(FIELDS))(
  '%s: given a field that it does not have, then it is unknown',
  async (plugin) => {
    const { fields } = (await validate(world, plugin, configWith(plugin, 'nonsense', 1))).json<{
      fields: unknown;
    }>();
    expect(fields).toEqual({ config: { nonsense: 'unknown field' } });
  },
);

test.each(Object.keys(FIELDS))('%s: given only what it needs, then it is valid', async (plugin) => {
  const answer = await validate(world, plugin, SMALLEST[plugin] ?? {});
  expect({ status: answer.status, text: answer.text }).toEqual({
    status: 200,
    text: '{"message":"schema validation successful"}',
  });
});

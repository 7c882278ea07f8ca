import { expect, test } from 'vitest';
import { canonicalJson, ENTITY_SCHEMAS, type Field, type Fields } from '../src/index.ts';
import { checkFields, newChecker } from '../src/schema/check-fields.ts';
import { compileFields, NOT_CLEAN } from '../src/schema/quick-check.ts';

const TRIES = 400; // documents of each kind
/** They need a certificate, or a prefix of three letters. */
const UNGUESSABLE: ReadonlySet<string> = new Set(['certificates', 'ca_certificates', 'vaults']);
const UUID = '0855b320-0dd2-547d-891d-601e9b38647f';
const STRANGE: readonly unknown[] = [
  null,
  undefined,
  '',
  'a',
  'a b',
  'GET',
  '/p',
  '~/(',
  UUID,
  0,
  -1,
  80,
  1.5,
  70_000,
  true,
  [],
  ['a', 'a'],
  [null],
  {},
  { a: ['b'] },
  { id: UUID },
  { id: 'x' },
  { id: UUID, name: 'x' },
];

/** A generator of numbers below a limit; the same seed gives the same numbers. */
const seeded = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
};
type Random = ReturnType<typeof seeded>;

/** Often of the field's type, now and then anything. */
const valueFor = (field: Field, random: Random): unknown => {
  if (random(12) === 0) return STRANGE[random(STRANGE.length)];
  if (field.default !== undefined && random(2) === 0) return field.default;
  if (field.oneOf !== undefined) return field.oneOf[random(field.oneOf.length)];
  switch (field.type) {
    case 'array':
    case 'set':
      return Array.from({ length: random(4) }, () => valueFor(field.elements, random));
    case 'map':
      return Object.fromEntries(['b', 'a'].map((key) => [key, valueFor(field.values, random)]));
    case 'record':
      return recordFor(field.fields, random);
    case 'foreign':
      return random(2) === 0 ? 'name' : { id: UUID };
    case 'integer':
      return random(100);
    case 'number':
      return random(100) / 4;
    case 'boolean':
      return random(2) === 0;
    case 'string':
      return field.uuid === true ? UUID : ['name', '/path', 'GET', 'a.test'][random(4)];
    case 'any':
      return { any: random(9) };
  }
};

const recordFor = (fields: Fields, random: Random): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) =>
      field.required !== true && random(3) > 0 ? [] : [[name, valueFor(field, random)]],
    ),
  );

test.each(ENTITY_SCHEMAS.map(({ kind, fields }) => [kind, fields] as const))(
  'given %s at random, what the quick checker passes is what the other one passes, field by field',
  (kind, fields) => {
    const quick = compileFields(fields);
    const random = seeded(kind.length);
    let passed = 0;
    for (let count = 0; count < TRIES; count++) {
      const submitted = recordFor(fields, random);
      if (random(20) === 0) submitted.nonsense = 1;
      const checker = newChecker();
      const expected = checkFields(checker, fields, submitted);
      const found = quick(submitted);
      if (found === NOT_CLEAN) continue;
      passed += 1;
      expect(checker.findings, JSON.stringify(submitted)).toEqual([]);
      expect(found).toEqual(expected);
      expect(Object.keys(found)).toEqual(Object.keys(found).toSorted());
    }
    if (!UNGUESSABLE.has(kind)) expect(passed).toBeGreaterThan(0);
  },
);

test('given a right entity, then the quick checker passes it: nobody waits for the other one', () => {
  const route = ENTITY_SCHEMAS.find(({ kind }) => kind === 'routes')?.fields ?? {};
  const submitted = {
    name: 'r',
    paths: ['/a'],
    methods: ['GET', 'GET'],
    service: 's',
    headers: { a: ['b'] },
  };
  expect(compileFields(route)(submitted)).toMatchObject({ methods: ['GET'], strip_path: true, hosts: null });
});

test('what must not be there is refused, and null where it is not', () => {
  const fields: Fields = {
    a: { type: 'string' },
    parent: { type: 'foreign', reference: 'services', required: true },
  };
  const quick = compileFields(fields, { ignored: new Set(['_comment']), absent: ['parent'] });
  expect(quick({ a: 'x', _comment: 1 })).toEqual({ a: 'x', parent: null });
  expect(quick({ parent: 'x' })).toBe(NOT_CLEAN);
});

const naive = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(naive).join(',')}]`;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${naive(field)}`)
    .join(',')}}`;
};

test.each([
  { b: 1, a: { d: [], c: 'x"\n' } },
  { a: 1, b: { d: 1, c: 2 } },
  { a: [{ z: 1, y: undefined }, null, 'é', '\ud800'], b: -0 },
  { 10: 'a', 9: 'b', a: undefined },
  'text',
  null,
])('%j is written with its keys sorted, at every depth', (value) => {
  expect(canonicalJson(value)).toBe(naive(value));
});

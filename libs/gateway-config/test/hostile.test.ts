import { expect, test } from 'vitest';
import { loadConfig } from '../src/index.ts';
import { catalog } from './catalog.ts';
import { accepted, NOW, refused } from './load.ts';

const load = (text: string) => loadConfig({ text }, catalog, { now: NOW });
const head = '_format_version: "3.0"\n';

const bomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`),
].join('\n');

test.each([
  ['a YAML bomb', `${head}${bomb}\n`],
  [
    'a bomb of merge keys',
    `${head}a: &a {x: 1}\nservices:\n${'- {<<: [*a, *a, *a, *a, *a, *a, *a]}\n'.repeat(100)}`,
  ],
  ['deep flow', `${head}services: ${'['.repeat(100_000)}`],
  ['deep JSON', `{"services":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ['deep blocks', `${head}${Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}`],
  ['deep dashes', `${head}services:\n${'- '.repeat(20_000)}x`],
  ['a __proto__ key in YAML', `${head}services:\n- __proto__: {host: x}\n  name: a\n`],
  ['a __proto__ key in JSON', '{"_format_version":"3.0","__proto__":{"services":[]}}'],
  [
    'a __proto__ key in a map',
    '{"_format_version":"3.0","routes":[{"paths":["/"],"headers":{"__proto__":["x"]}}]}',
  ],
  ['a repeated key', `${head}services: []\nservices: []\n`],
  ['tabs', `${head}services:\n\t- name: a\n`],
  ['binary', '\0\u0001\u0002'],
  ['an unknown anchor', `${head}services: *nope\n`],
  ['infinities', `${head}services: [{host: a, retries: .inf}]`],
  ['a text of a megabyte', `${head}services: [{host: ${'a'.repeat(1_000_000)}}]`],
  ['a list of a million paths', `${head}routes: [{paths: [${'/a, '.repeat(1_000_000)}/b]}]`],
  ['quotes without end', `${head}services: [{host: "${'\\\\'.repeat(400_000)}`],
  ['a pattern that never ends', `${head}routes: [{paths: ["~/${'(a*)*'.repeat(1000)}$"]}]`],
])('refused without harm: %s', (_, text) => {
  const loaded = load(text);
  expect(loaded.ok).toBe(false);
  if (!loaded.ok)
    expect(JSON.parse(JSON.stringify(loaded.error.toBody({ flatten: true })))).toHaveProperty('code', 14);
  expect(Object.prototype).not.toHaveProperty('host');
});

test.each([
  ['brackets that close nothing', '}', 'line 3, column 4'],
  ['lines that begin no value', '\n%', 'line 4, column 1'],
])(
  'given a hundred thousand %s, then the first of them is told, and no other is looked for',
  (_, piece, place) => {
    const loaded = load(`${head}a: &a 1\nb: ${piece.repeat(100_000)}\n`);
    expect(loaded.ok ? '' : loaded.error.message).toContain(place);
  },
);

test.each(['constructor', 'toString', 'hasOwnProperty', 'prototype', 'valueOf'])(
  'a field named %s is an unknown field like any other',
  (name) => {
    const { fields } = refused({ [name]: 1, services: [{ host: 'a', [name]: 1, healthchecks: {} }] });
    expect(Object.entries(fields)).toContainEqual([name, 'unknown field']);
  },
);

test.each(['constructor', 'toString'])('%s is no plugin', (name) => {
  expect(refused({ plugins: [{ name }] }).message).toContain('not enabled');
});

test('names of prototype properties are names', () => {
  const state = accepted({
    services: [{ name: 'constructor', host: 'a', routes: [{ name: 'toString', paths: ['/'] }] }],
    routes: [{ name: 'valueOf', paths: ['/v'], service: 'constructor', headers: { constructor: ['x'] } }],
  });
  expect(state.count('routes')).toBe(2);
  expect(refused({ routes: [{ paths: ['/'], service: 'hasOwnProperty' }] }).message).toContain(
    'invalid reference',
  );
});

test('given thousands of wrong entities, then all are in the body and the first hundred are located', () => {
  const entities = Array.from({ length: 5000 }, (_, i) => `- nmae: s${i}\n`).join('');
  const loaded = load(`${head}services:\n${entities}`);
  if (loaded.ok) throw new Error('was accepted');
  expect(loaded.error.fields.services).toHaveLength(5000);
  expect(loaded.error.problems).toHaveLength(100);
  expect(loaded.error.problems[1]).toMatchObject({ path: 'services[0].host', line: 3 });
});

test('secrets of a refused document are neither in the message nor in any answer', () => {
  const canary = 'canary-4711';
  const error = refused({
    _nonsense: 1,
    consumers: [
      {
        username: 'u',
        jwt_secrets: [{ key: 'iss', secret: canary, algorithm: 'none' }],
        keyauth_credentials: [{ key: canary, nope: 1 }],
        basicauth_credentials: [{ username: 'u', password: canary, nope: 1 }],
      },
    ],
    plugins: [{ name: 'rate-limiting', config: { minute: 0, redis: { password: canary } } }],
    certificates: [{ cert: canary, key: canary }],
  });
  const shown = JSON.stringify([
    error.message,
    error.toBody({ flatten: true }),
    error.toBody(),
    error.problems,
  ]);
  expect(shown.replaceAll('"cert":"canary-4711"', '')).not.toContain(canary);
});

test('nothing of a document is told to anybody but who wrote it', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  expect(load(`${head}? {canary-4711: x}\n: y\n`).ok).toBe(false);
  expect(load(`${head}services: [{? [canary-4711] : y}]\n`).ok).toBe(false);
  await new Promise((turn) => setImmediate(turn)); // warnings are told in the next turn
  process.off('warning', note);
  expect(warnings.map(String)).toEqual([]);
});

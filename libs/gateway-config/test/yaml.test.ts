import { expect, test } from 'vitest';
import { parseText, writeYaml } from '../src/index.ts';
import { readPlainYaml } from '../src/yaml/read-plain-yaml.ts';
import { readWithLibrary } from '../src/yaml/read-with-library.ts';

/** A small generator with a fixed seed, so that a failure can be repeated. */
const random = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

const PIECES = [
  ...[
    'a: b',
    'a:',
    '- x',
    '-',
    '- a: 1',
    '- - x',
    'key: [a, b]',
    'k: {a: b, c: [1]}',
    '# c',
    'q: "x\\ty" # c',
    "q: 'it''s'",
  ],
  ...[
    'n: 1.50',
    'n: 0x1F',
    'n: 0o17',
    'n: -3',
    'n: 1e3',
    'n: .5',
    'n: ~',
    'n: null',
    'n: yes',
    'n: Off',
    'n: y',
  ],
  ...[
    'u: http://x:80/a#b',
    'u: a #b',
    'u: a: b',
    'x: &a 1',
    'x: *a',
    'x: |',
    'x: >-',
    'more words',
    '"quoted": 1',
    '? k',
  ],
  ...[
    'p: ~/b/(?<id>\\d+)$',
    'p: /a/%41',
    't: 2020-01-01',
    'i: 10.0.0.1',
    's: "a: b"',
    'f: [/x, ~/y, "z"]',
    'f: [a',
    '<<: 1',
  ],
  ...[
    'f: {a: 1, a: 2}',
    'f: [http://a, b:c]',
    'true: 1',
    '1: x',
    'e: []',
    'e: {}',
    '--- ',
    'v: {vault://env/x}',
    'm: - a',
    'w: a  b ',
    'l: |',
    'l: |-',
    '- |',
    '  deeper',
    '',
    '   ',
    'l: |+',
    '# c2',
  ],
  ...[
    'f: [a b , c]',
    'f: {"a":1}',
    'f: [-1, +2, .5]',
    'j: "\\u0041\\/"',
    'k: "\\x41"',
    "z: ''",
    'c: a:b',
    'd: a:',
    'f: [ ]',
    'g: { }',
  ],
];

const randomText = (below: (n: number) => number): string =>
  Array.from(
    { length: 1 + below(7) },
    () => `${' '.repeat(below(3) * 2)}${PIECES[below(PIECES.length)]}`,
  ).join('\n');

test('whatever the plain reader reads, the YAML library reads the same', () => {
  const below = random(4711);
  let read = 0;
  for (let run = 0; run < 4000; run += 1) {
    const text = randomText(below);
    const plain = readPlainYaml(text);
    if (!plain.ok) continue;
    read += 1;
    const library = readWithLibrary(text);
    expect(library.ok ? library.value : library.message, text).toEqual(plain.value);
  }
  expect(read).toBeGreaterThan(300);
});

const values = (below: (n: number) => number, depth: number): unknown => {
  const words = [
    '',
    'a',
    'no',
    '1',
    '1.0',
    '0x1',
    ' lead',
    'a: b',
    '#',
    "it's",
    'ü',
    'é\n',
    '\u2028',
    '~',
    '-',
    '{',
    '😀',
    'null',
    '\t',
    '/a/b',
    '1e5',
    '.5',
    'y',
    '<<',
    '=',
    '\u0085',
  ];
  const kind = below(depth > 3 ? 3 : 5);
  if (kind === 0) return words[below(words.length)];
  if (kind === 1) return [0, -1, 1.5, 80, 1e21][below(5)];
  if (kind === 2) return [true, false, null][below(3)];
  const items = Array.from({ length: below(4) }, () => values(below, depth + 1));
  if (kind === 3) return items;
  return Object.fromEntries(items.map((item, index) => [`${words[below(words.length)]}${index}`, item]));
};

test('what is written as YAML is read back equal, by both readers', () => {
  const below = random(42);
  for (let run = 0; run < 500; run += 1) {
    const document = { a: values(below, 0), b: values(below, 0) };
    const text = writeYaml(document);
    const parsed = parseText(text);
    expect(parsed.ok && parsed.value, text).toEqual(document);
    const library = readWithLibrary(text);
    expect(library.ok && library.value, text).toEqual(document);
  }
});

test.each(['|', '|-', '|+'])('a PEM key in a block scalar %s needs no library', (mode) => {
  const text = `a:\n- key: ${mode}\n    -----BEGIN KEY-----\n    # no comment\n      deeper\n\n    end\n\n\n  b: 1\nc: 2\n`;
  const plain = readPlainYaml(text);
  const library = readWithLibrary(text);
  expect(plain.ok && plain.value).toMatchObject({ a: [{ b: 1 }], c: 2 });
  expect(library.ok && library.value).toEqual(plain.ok && plain.value);
});

test('given a text too long for the library, when it is not plain, then the error says from which line on', () => {
  const parsed = parseText(`a: 1\n${'# filler\n'.repeat(150_000)}b: &anchor 2\n`);
  expect(parsed).toMatchObject({ ok: false, position: { line: 150_002, column: 1 } });
});

test('anchors, merge keys and block scalars are read', () => {
  const parsed = parseText(
    'base: &base {retries: 3}\nservices:\n- <<: *base\n  host: a\n  note: |\n    two\n    lines\n',
  );
  expect(parsed.ok && parsed.value).toMatchObject({
    services: [{ retries: 3, host: 'a', note: 'two\nlines\n' }],
  });
});

const places = (text: string) => {
  const parsed = parseText(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return (path: (string | number)[]) => Object.values(parsed.locate(path) ?? {}).join(':');
};

test.each([
  [
    'plain YAML',
    'x: 1\nroutes:\n- name: a\n  paths: [/a, /b]\n-\n  paths:\n  - /c\n',
    ['2:1', '3:3', '4:15', '7:5', '5:1'],
  ],
  [
    'YAML with anchors',
    'x: &x 1\nroutes:\n- name: a\n  paths: [/a, /b]\n-\n  paths:\n  - /c\n',
    ['2:1', '3:3', '4:15', '7:5', '6:3'],
  ],
  [
    'JSON',
    '{"x":1,\n"routes":[\n{"name":"a",\n"paths":["/a", "/b"]},\n{"paths":["/c"]}]}',
    ['2:1', '3:2', '4:16', '5:11', '5:1'],
  ],
])('%s: keys and items are found, what is missing is found at its parent', (_, text, expected) => {
  const at = places(text);
  const paths = [
    ['routes'],
    ['routes', 0, 'name'],
    ['routes', 0, 'paths', 1],
    ['routes', 1, 'paths', 0],
    ['routes', 1, 'nope'],
  ];
  expect(paths.map(at)).toEqual(expected);
});

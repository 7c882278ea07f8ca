import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig, toDeclarativeYaml } from '../src/index.ts';
import { parseText } from '../src/parse.ts';
import { readPlainYaml } from '../src/yaml/read-plain-yaml.ts';
import { readWithLibrary } from '../src/yaml/read-with-library.ts';
import { catalog } from './catalog.ts';
import { NOW } from './load.ts';

/** `npm run fuzz` sets it; without, a run is short. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 3);
const BOUNDS = {
  numRuns: 100_000_000,
  interruptAfterTimeLimit: SECONDS * 100,
  markInterruptAsFailure: false,
  ...(process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }),
};
const TIMEOUT = { timeout: SECONDS * 1000 + 30_000 };

const KINDS = [
  'services',
  'routes',
  'consumers',
  'plugins',
  'upstreams',
  'targets',
  'certificates',
  'snis',
  'issuers',
  'tenants',
];
const NAMES = [
  'name',
  'host',
  'port',
  'paths',
  'hosts',
  'headers',
  'methods',
  'routes',
  'service',
  'config',
  'tags',
  'id',
  'url',
];
const ODD_NAMES = [
  'username',
  'key',
  'secret',
  'minute',
  'mode',
  'enabled',
  '__proto__',
  'constructor',
  'toString',
  '_x',
  '',
  ' ',
];
const WORDS = [
  'a',
  'b.test',
  '/a',
  '~/a(b)+',
  'GET',
  'cors',
  'rate-limiting',
  'key-auth',
  'http',
  'yes',
  'null',
  '~',
  '1e3',
  '0x1f',
];
const ODD_WORDS = [
  '-',
  '---',
  '? a',
  ': ',
  '&a',
  '*a',
  '!!str',
  '|',
  '>',
  '#',
  "'",
  '"',
  '\\',
  '{',
  '[',
  '\t',
  '\r\n',
  '\u2028',
  '\ud800',
];

const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WORDS, ...ODD_WORDS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);
const leaf = fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...NAMES, ...ODD_NAMES) },
  { weight: 1, arbitrary: word },
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
}));
/** Something like a service, a route, a plugin: enough of them are valid for what comes behind the checks. */
const entity = fc.oneof(
  fc.record({ name: word, host: word, routes: fc.array(fc.record({ name: word, paths: fc.array(word) })) }),
  fc.record(
    { name: fc.constantFrom('cors', 'rate-limiting', 'key-auth'), config: value },
    { requiredKeys: ['name'] },
  ),
  fc.record({ username: word, tags: value }, { requiredKeys: ['username'] }),
  fc.dictionary(name, value, { maxKeys: 5 }),
);
const document = fc
  .dictionary(
    fc.oneof(fc.constantFrom(...KINDS), name),
    fc.oneof(fc.array(entity, { maxLength: 3 }), value),
    { maxKeys: 4 },
  )
  .map((parts) => ({ _format_version: '3.0', ...parts }));

/** Printed in one of the ways that people write, with some characters gone and others in their place. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(4),
    put: fc.oneof(fc.constantFrom(...ODD_WORDS, ' ', '  ', '\n', '- ', 'a: ', ',', ']', '}'), word),
  }),
  { maxLength: 3 },
);
const text = fc
  .record({
    document,
    isJson: fc.boolean(),
    indent: fc.integer({ min: 1, max: 4 }),
    flow: fc.boolean(),
    edits,
  })
  .map(({ document: printed, isJson, indent, flow, edits: all }) => {
    const plain = isJson
      ? JSON.stringify(printed, null, indent)
      : stringify(printed, {
          indent,
          aliasDuplicateObjects: false,
          ...(flow ? { collectionStyle: 'flow' as const } : {}),
        });
    return all.reduce((so, { at, cut, put }) => {
      const place = Math.floor(at * so.length);
      return so.slice(0, place) + put + so.slice(place + cut);
    }, plain);
  });

/** Nothing was left on the prototype that every object has. */
const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype);
const judge = (loaded: ReturnType<typeof loadConfig>): void => {
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(PROTOTYPE);
  if (loaded.ok) return;
  const body = JSON.parse(JSON.stringify(loaded.error.toBody({ flatten: true }))) as { message: unknown };
  expect(body.message).toEqual(expect.any(String));
};

test(
  'given any document, then it is read or refused in words, and what was read is read again as the same',
  TIMEOUT,
  () => {
    let accepted = 0;
    fc.assert(
      fc.property(document, (one) => {
        const loaded = loadConfig({ document: one }, catalog, { now: NOW });
        judge(loaded);
        if (!loaded.ok) return;
        accepted += 1;
        const again = loadConfig({ text: toDeclarativeYaml(loaded.state) }, catalog, { now: NOW });
        if (!again.ok) throw again.error;
        expect(again.state.digest).toBe(loaded.state.digest);
      }),
      BOUNDS,
    );
    expect(accepted).toBeGreaterThan(0);
  },
);

test('given any text, then it is read or refused in words', TIMEOUT, () => {
  fc.assert(
    fc.property(text, (one) => judge(loadConfig({ text: one }, catalog, { now: NOW }))),
    BOUNDS,
  );
});

test(
  'given any text that the quick reader reads, then the yaml library reads the same out of it',
  TIMEOUT,
  () => {
    let read = 0;
    fc.assert(
      fc.property(text, (one) => {
        const plain = readPlainYaml(one);
        if (!plain.ok) return;
        read += 1;
        const library = readWithLibrary(one);
        expect(library).toMatchObject({ ok: true });
        if (library.ok) expect(plain.value ?? null).toEqual(library.value ?? null);
        expect(parseText(one).ok).toBe(true);
      }),
      BOUNDS,
    );
    expect(read).toBeGreaterThan(0);
  },
);

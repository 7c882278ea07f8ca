import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const headers = (operation: string, ...entries: string[]) => ({ [operation]: { headers: entries } });
const json = (operation: string, entries: string[], json_types?: string[]) => ({
  [operation]: { json: entries, ...(json_types === undefined ? {} : { json_types }) },
});
const all = {
  remove: { headers: ['x-a'] },
  rename: { headers: ['x-b:x-c'] },
  replace: { headers: ['x-c:replaced'] },
  add: { headers: ['x-a:added', 'x-c:no'] },
  append: { headers: ['x-a:appended'] },
};
const ALL_TYPES = ['boolean', 'number', 'string'];

interface From {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}
interface Gives {
  readonly headers?: Record<string, string | string[] | undefined>;
  readonly body?: unknown;
}
const xa: From = { headers: { 'X-A': '1' } };
const text: From = { headers: { 'Content-Type': 'text/plain' }, body: '{"a":1}' };
const of = (body: unknown): From => ({ body });

type Row = readonly [field: string, given: string, config: Document, upstream: From, gives: Gives];
const ROWS: readonly Row[] = [
  ['remove.headers', 'another case', headers('remove', 'x-a'), xa, { headers: { 'x-a': undefined } }],
  [
    'rename.headers',
    'there',
    headers('rename', 'x-a:x-b'),
    xa,
    { headers: { 'x-a': undefined, 'x-b': '1' } },
  ],
  ['rename.headers', 'not there', headers('rename', 'x-z:x-b'), xa, { headers: { 'x-b': undefined } }],
  ['replace.headers', 'there', headers('replace', 'x-a:2'), xa, { headers: { 'x-a': '2' } }],
  ['replace.headers', 'not there', headers('replace', 'x-b:2'), xa, { headers: { 'x-b': undefined } }],
  ['add.headers', 'there', headers('add', 'x-a:2'), xa, { headers: { 'x-a': '1' } }],
  ['add.headers', 'not there', headers('add', 'x-b:a:b'), xa, { headers: { 'x-b': 'a:b' } }],
  ['append.headers', 'there', headers('append', 'x-a:2'), xa, { headers: { 'x-a': '1, 2' } }],
  ['append.headers', 'not there', headers('append', 'x-b:2'), xa, { headers: { 'x-b': '2' } }],
  [
    '(order)',
    'all operations',
    all,
    { headers: { 'X-A': '1', 'X-B': '2' } },
    { headers: { 'x-a': 'added, appended', 'x-b': undefined, 'x-c': 'replaced' } },
  ],
  ['remove.json', 'there', json('remove', ['a']), of({ a: 1, b: 2 }), { body: { b: 2 } }],
  ['rename.json', 'there', json('rename', ['a:c']), of({ a: 1, b: 2 }), { body: { c: 1, b: 2 } }],
  ['rename.json', 'not there', json('rename', ['z:c']), of({ a: 1 }), { body: { a: 1 } }],
  ['replace.json', 'there', json('replace', ['a:2']), of({ a: 1 }), { body: { a: '2' } }],
  ['replace.json', 'not there', json('replace', ['b:2']), of({ a: 1 }), { body: { a: 1 } }],
  ['replace.json_types', 'a number', json('replace', ['a:2'], ['number']), of({ a: 1 }), { body: { a: 2 } }],
  ['add.json', 'not there', json('add', ['b:2']), of({ a: 1 }), { body: { a: 1, b: '2' } }],
  ['add.json', 'there', json('add', ['a:2']), of({ a: 1 }), { body: { a: 1 } }],
  [
    'add.json_types',
    'each type, by position',
    json('add', ['b:true', 'n:1.5', 's:1', 't:1'], ALL_TYPES),
    of({}),
    { body: { b: true, n: 1.5, s: '1', t: '1' } },
  ],
  ['append.json', 'a string', json('append', ['a:2']), of({ a: '1' }), { body: { a: ['1', '2'] } }],
  ['append.json', 'a list', json('append', ['a:2']), of({ a: ['1'] }), { body: { a: ['1', '2'] } }],
  ['append.json', 'not there', json('append', ['b:2']), of({ a: 1 }), { body: { a: 1, b: ['2'] } }],
  [
    'append.json_types',
    'a number',
    json('append', ['a:2'], ['number']),
    of({ a: [1] }),
    { body: { a: [1, 2] } },
  ],
  ['add.json', 'no JSON type', json('add', ['b:2']), text, { body: '{"a":1}' }],
  ['add.json', 'broken JSON', json('add', ['b:2']), of('{"a":'), { body: '{"a":' }],
  [
    'add.json',
    'application/json with a charset',
    json('add', ['b:2']),
    { headers: { 'Content-Type': 'application/json; charset=utf-8' }, body: { a: 1 } },
    { body: { a: 1, b: '2' } },
  ],
];
const cases = ROWS.map((row, i) => ({ row, name: `case-${i}` }));

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = cases.map(({ row: [, , config], name }) =>
    routeWith(name, [{ name: 'response-transformer', config }]),
  );
  const own = routeWith('own-answer', [
    { name: 'request-termination', config: { status_code: 418, message: 'tea' } },
    { name: 'response-transformer', config: { add: { headers: ['x-a:1'], json: ['b:2'] } } },
  ]);
  await world.load({ services: [world.service('echo', [...routes, own])] });
  for (const { row, name } of cases) {
    const [, , , { headers: lines = {}, body = {} }] = row;
    const bytes = typeof body === 'string' ? body : JSON.stringify(body);
    world.upstream.answerWith(name, { headers: lines, body: bytes });
  }
});
afterAll(() => world[Symbol.asyncDispose]());

test.each(cases)(
  'response-transformer $row.0: given $row.1, then the client gets it so',
  async ({ row, name }) => {
    const [, , , , gives] = row;
    const answer = await world.ask(`/${name}?script=${name}`);
    for (const [header, value] of Object.entries(gives.headers ?? {}))
      expect(answer.headers[header]).toBe(value);
    if (gives.body === undefined) return;
    expect(typeof gives.body === 'string' ? answer.text : answer.json()).toEqual(gives.body);
  },
);

test("response-transformer: given the gateway's own answer, then it is changed as well", async () => {
  const answer = await world.ask('/own-answer');
  expect(answer.status).toBe(418);
  expect(answer.headers['x-a']).toBe('1');
  expect(answer.json()).toEqual({ message: 'tea', b: '2' });
});

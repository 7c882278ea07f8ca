import type { CallOptions } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Seen } from './echo-upstream.ts';
import { header, routeWith, sent } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=b';
const parts = (fields: Record<string, string>): string =>
  `${Object.entries(fields)
    .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('')}--b--\r\n`;

/** What the upstream saw of a request: headers that have to be so (undefined: absent), target, body. */
interface Expected {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}
type Row = readonly [
  field: string,
  given: string,
  config: Document,
  query: string,
  ask: CallOptions,
  sees: Expected,
];
const headers = (operation: string, ...entries: string[]) => ({ [operation]: { headers: entries } });
const query = (operation: string, ...entries: string[]) => ({ [operation]: { querystring: entries } });
const body = (operation: string, ...entries: string[]) => ({ [operation]: { body: entries } });
const withX = header('x-a', '1');
const json = (value: unknown) => sent(value);
const form = (text: string) => sent(text, FORM);
const everything = {
  remove: { headers: ['x-a'] },
  rename: { headers: ['x-b:x-c'] },
  replace: { headers: ['x-c:replaced'] },
  add: { headers: ['x-a:added', 'x-c:not added'] },
  append: { headers: ['x-a:appended'] },
};

const ROWS: readonly Row[] = [
  [
    'remove.headers',
    'a header in another case',
    headers('remove', 'X-A'),
    '',
    withX,
    { headers: { 'x-a': undefined } },
  ],
  [
    'rename.headers',
    'it is there',
    headers('rename', 'x-a:x-b'),
    '',
    withX,
    { headers: { 'x-a': undefined, 'x-b': '1' } },
  ],
  [
    'rename.headers',
    'it is not there',
    headers('rename', 'x-z:x-b'),
    '',
    withX,
    { headers: { 'x-b': undefined } },
  ],
  [
    'rename.headers',
    'the new name is taken',
    headers('rename', 'x-a:x-b'),
    '',
    { headers: { 'x-a': '1', 'x-b': '2' } },
    { headers: { 'x-a': undefined, 'x-b': '1' } },
  ],
  ['replace.headers', 'it is there', headers('replace', 'x-a:2'), '', withX, { headers: { 'x-a': '2' } }],
  [
    'replace.headers',
    'it is not there',
    headers('replace', 'x-b:2'),
    '',
    withX,
    { headers: { 'x-b': undefined } },
  ],
  [
    'replace.headers',
    'Host',
    headers('replace', 'Host:other.test'),
    '',
    {},
    { headers: { host: 'other.test' } },
  ],
  [
    'add.headers',
    'it is not there',
    headers('add', 'x-b:2'),
    '',
    withX,
    { headers: { 'x-a': '1', 'x-b': '2' } },
  ],
  ['add.headers', 'it is there', headers('add', 'x-a:2'), '', withX, { headers: { 'x-a': '1' } }],
  [
    'add.headers',
    'a value with colons',
    headers('add', 'x-b: a:b:c'),
    '',
    {},
    { headers: { 'x-b': 'a:b:c' } },
  ],
  ['append.headers', 'it is there', headers('append', 'x-a:2'), '', withX, { headers: { 'x-a': '1, 2' } }],
  ['append.headers', 'it is not there', headers('append', 'x-b:2'), '', {}, { headers: { 'x-b': '2' } }],
  [
    '(order)',
    'all operations',
    everything,
    '',
    { headers: { 'x-a': '1', 'x-b': '2' } },
    { headers: { 'x-a': 'added, appended', 'x-b': undefined, 'x-c': 'replaced' } },
  ],
  ['remove.querystring', 'it is there', query('remove', 'a'), '?a=1&b=2&a=3', {}, { url: '/?b=2' }],
  ['remove.querystring', 'another case', query('remove', 'A'), '?a=1', {}, { url: '/?a=1' }],
  ['rename.querystring', 'it is there', query('rename', 'a:c'), '?a=1&b=2', {}, { url: '/?c=1&b=2' }],
  ['rename.querystring', 'the new name is taken', query('rename', 'a:b'), '?a=1&b=2', {}, { url: '/?b=1' }],
  ['replace.querystring', 'it is there', query('replace', 'a:2'), '?a=1', {}, { url: '/?a=2' }],
  ['replace.querystring', 'it is not there', query('replace', 'b:2'), '?a=1', {}, { url: '/?a=1' }],
  ['add.querystring', 'it is not there', query('add', 'b:x y'), '?a=1', {}, { url: '/?a=1&b=x%20y' }],
  ['add.querystring', 'it is there', query('add', 'a:2'), '?a=1', {}, { url: '/?a=1' }],
  ['append.querystring', 'it is there', query('append', 'a:2'), '?a=1', {}, { url: '/?a=1&a=2' }],
  ['append.querystring', 'it is not there', query('append', 'b:2'), '', {}, { url: '/?b=2' }],
  ['remove.body', 'JSON', body('remove', 'a'), '', json({ a: 1, b: 2 }), { body: { b: 2 } }],
  ['remove.body', 'a form', body('remove', 'a'), '', form('a=1&b=2'), { body: 'b=2' }],
  [
    'remove.body',
    'a multipart form',
    body('remove', 'a'),
    '',
    sent(parts({ a: '1', b: '2' }), MULTIPART),
    { body: parts({ b: '2' }) },
  ],
  ['rename.body', 'JSON', body('rename', 'a:c'), '', json({ a: 1, b: 2 }), { body: { c: 1, b: 2 } }],
  ['rename.body', 'a form', body('rename', 'a:c'), '', form('a=1&b=2'), { body: 'c=1&b=2' }],
  ['replace.body', 'JSON, there', body('replace', 'a:2'), '', json({ a: 1 }), { body: { a: '2' } }],
  ['replace.body', 'JSON, not there', body('replace', 'b:2'), '', json({ a: 1 }), { body: { a: 1 } }],
  [
    'replace.body',
    'a multipart form',
    body('replace', 'a:2'),
    '',
    sent(parts({ a: '1' }), MULTIPART),
    { body: parts({ a: '2' }) },
  ],
  ['add.body', 'JSON, not there', body('add', 'b:2'), '', json({ a: 1 }), { body: { a: 1, b: '2' } }],
  ['add.body', 'JSON, there', body('add', 'a:2'), '', json({ a: 1 }), { body: { a: 1 } }],
  ['add.body', 'an empty JSON body', body('add', 'a:1'), '', sent(''), { body: { a: '1' } }],
  ['add.body', 'a form', body('add', 'b:2'), '', form('a=1'), { body: 'a=1&b=2' }],
  [
    'add.body',
    'a multipart form',
    body('add', 'b:2'),
    '',
    sent(parts({ a: '1' }), MULTIPART),
    { body: parts({ a: '1', b: '2' }) },
  ],
  ['append.body', 'JSON, there', body('append', 'a:2'), '', json({ a: '1' }), { body: { a: ['1', '2'] } }],
  ['append.body', 'JSON, not there', body('append', 'b:2'), '', json({ a: 1 }), { body: { a: 1, b: '2' } }],
  ['append.body', 'a form', body('append', 'a:2'), '', form('a=1'), { body: 'a=1&a=2' }],
  [
    'append.body',
    'a multipart form',
    body('append', 'a:2'),
    '',
    sent(parts({ a: '1' }), MULTIPART),
    { body: parts({ a: '1' }) },
  ],
  ['add.body', 'invalid JSON', body('add', 'b:2'), '', sent('{"a":'), { body: '{"a":' }],
  ['add.body', 'plain text', body('add', 'b:2'), '', sent('a=1', 'text/plain'), { body: 'a=1' }],
  ['http_method', 'POST', { http_method: 'POST' }, '', {}, { method: 'POST' }],
  [
    'http_method',
    'GET and a form',
    { http_method: 'GET' },
    '?q=1',
    form('a=1&b=2'),
    { method: 'GET', url: '/?q=1&a=1&b=2' },
  ],
  [
    'rename.body',
    'a multipart form',
    body('rename', 'a:c'),
    '',
    sent(parts({ a: '1', b: '2' }), MULTIPART),
    { body: parts({ b: '2', c: '1' }) },
  ],
  ['rename.body', 'JSON, not there', body('rename', 'z:c'), '', json({ a: 1 }), { body: { a: 1 } }],
  ['rename.querystring', 'it is not there', query('rename', 'z:c'), '?a=1', {}, { url: '/?a=1' }],
  [
    'http_method',
    'PUT and a body',
    { http_method: 'PUT' },
    '',
    json({ a: 1 }),
    { method: 'PUT', body: { a: 1 } },
  ],
  [
    'replace.uri',
    'a fixed path',
    { replace: { uri: '/fixed/path' } },
    '?a=1',
    {},
    { url: '/fixed/path?a=1' },
  ],
];
const MADE = { add: { headers: ['Host:other.test', 'x-a:1'] }, append: { headers: ['x-a:2'] } };
const cases = ROWS.map((row, i) => ({ row, name: `case-${i}` }));

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = cases.map(({ row: [, , config], name }) =>
    routeWith(name, [{ name: 'request-transformer', config }]),
  );
  const host = routeWith('host', [{ name: 'request-transformer', config: MADE }]);
  await world.load({ services: [world.service('echo', [...routes, host])] });
});
afterAll(() => world[Symbol.asyncDispose]());

const expectSeen = (seen: Seen, { method, url, headers: wanted, body: sentOn }: Expected): void => {
  for (const [name, value] of Object.entries(wanted ?? {})) expect(seen.headers[name]).toBe(value);
  if (method !== undefined) expect(seen.method).toBe(method);
  if (url !== undefined) expect(seen.url).toBe(url);
  if (sentOn === undefined) return;
  expect(typeof sentOn === 'string' ? seen.body : JSON.parse(seen.body)).toEqual(sentOn);
  expect(seen.headers['content-length']).toBe(`${Buffer.byteLength(seen.body)}`);
};

test.each(cases)(
  'request-transformer $row.0: given $row.1, then the upstream sees it so',
  async ({ row, name }) => {
    const [, , , target, ask, sees] = row;
    const { seen } = await world.through(`/${name}${target}`, ask);
    expectSeen(seen, sees);
  },
);

test('request-transformer add.headers: given Host, then the upstream’s own stays', async () => {
  const { seen } = await world.through('/host');
  expect(seen.headers).toMatchObject({ host: `127.0.0.1:${world.upstream.port}`, 'x-a': '1, 2' });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectExit, header, routeWith, sent } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

type Row = readonly [given: string, value: string, header: string | undefined];
/** The value of `add.headers: x-out:<value>`, asked with `X-A: a`, `X-Request-Id: r1` and `?q=1&e=&flag`. */
const ROWS: readonly Row[] = [
  ['a header in brackets', '$(headers["x-a"])', 'a'],
  ['a header in single quotes', "$(headers['X-A'])", 'a'],
  ['a header with underscores for dashes', '$(headers.x_a)', 'a'],
  ['a header with dashes, which Lua would subtract', '$(headers.x-request-id)', 'r1'],
  ['a query argument by name', '$(query_params.q)', '1'],
  ['a query argument in brackets', '$(query_params["q"])', '1'],
  ['a query argument without a value', '$(query_params.flag)', 'true'],
  ['a capture by name', '$(uri_captures["id"])', '42'],
  ['a capture by name after a dot', '$(uri_captures.id)', '42'],
  ['a capture by number', '$(uri_captures[1])', '42'],
  ['text around it', 'Bearer $(headers["x-a"])-$(query_params.q)!', 'Bearer a-1!'],
  ['blanks in the expression', '$( headers.x_a )', 'a'],
  ['or, the first is there', '$(headers.x_a or "b")', 'a'],
  ['or, the first is not there', '$(headers.nope or "b")', 'b'],
  ['or, three of them', "$(headers.nope or query_params.nope or 'c')", 'c'],
  ['and', '$(headers.x_a and "yes" or "no")', 'yes'],
  ['and, the first is not there', '$(headers.nope and "yes" or "no")', 'no'],
  ['an empty argument is a value', '$(query_params.e == "" and "empty")', 'empty'],
  ['joined by ..', '$(headers.x_a .. "-" .. query_params.q)', 'a-1'],
  ['a number', '$(headers.nope or 7)', '7'],
  ['the way to write a literal', "$('$(x)')", '$(x)'],
  ['a bracket that never closes', '$(headers.x_a', '$(headers.x_a'],
  ['text around nothing', 'pre-$(headers.nope)', 'pre-'],
  ['nothing: no header is added, unlike in Kong', '$(headers.nope)', undefined],
  ['an unknown name is nil', '$(OPENAI_API_KEY)', undefined],
];
const cases = ROWS.map(([given, value, out], i) => ({ given, value, out, name: `t${i}` }));
const transformer = (config: Document): Document => ({ name: 'request-transformer', config });
const at = (name: string, config: Document): Document =>
  routeWith(name, [transformer(config)], { paths: [`~/${name}/(?<id>\\d+)$`] });

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = [
    ...cases.map(({ name, value }) => at(name, { add: { headers: [`x-out:${value}`] } })),
    at('uri', { replace: { uri: '/users/$(uri_captures["id"])/$(query_params.q)' } }),
    at('query', {
      add: { querystring: ['id:$(uri_captures.id)'] },
      replace: { querystring: ['q:$(headers.x_a)'] },
    }),
    at('body', { add: { body: ['id:$(uri_captures.id)'] } }),
    at('append', { append: { headers: ['x-a:$(query_params.q)'] } }),
    at('original', {
      remove: { headers: ['x-a'], querystring: ['q'] },
      add: { headers: ['x-out:$(headers.x_a)$(query_params.q)'] },
    }),
    at('index-nil', { add: { headers: ['x-out:$(nothing.there)'] } }),
    at('call', { add: { headers: ['x-out:$(headers.x_a())'] } }),
    at('join-nil', { add: { headers: ['x-out:$("a" .. headers.nope)'] } }),
  ];
  await world.load({ services: [world.service('echo', routes)] });
});
afterAll(() => world[Symbol.asyncDispose]());

const ask = { headers: { 'x-a': 'a', 'x-request-id': 'r1' } };

test.each(cases)('template $value: given $given, then the header is $out', async ({ name, out }) => {
  const { seen } = await world.through(`/${name}/42?q=1&e=&flag`, ask);
  expect(seen.headers['x-out']).toBe(out);
});

test('template in replace.uri: captures and arguments of the request make the path', async () => {
  const { seen } = await world.through('/uri/42?q=a%2Fb', ask);
  expect(seen.url).toBe('/users/42/a/b?q=a%2Fb');
});

test('template in the query: values come from the request', async () => {
  const { seen } = await world.through('/query/42?q=1', ask);
  expect(seen.url).toBe('/?q=a&id=42');
});

test('template in the body: values come from the request', async () => {
  const { seen } = await world.through('/body/42', sent({ a: 1 }));
  expect(JSON.parse(seen.body)).toEqual({ a: 1, id: '42' });
});

test('template in append.headers: it makes one more value', async () => {
  const { seen } = await world.through('/append/42?q=1', ask);
  expect(seen.headers['x-a']).toBe('a, 1');
});

test('templates read the request as it was before any rule', async () => {
  const { seen } = await world.through('/original/42?q=1', ask);
  expect(seen.headers).toMatchObject({ 'x-out': 'a1' });
  expect(seen.headers['x-a']).toBeUndefined();
  expect(seen.url).toBe('/');
});

test.each([
  { given: 'a look-up in nothing', name: 'index-nil' },
  { given: 'a call', name: 'call' },
  { given: 'nil joined to text', name: 'join-nil' },
])('template: given $given, then the request ends with 500', async ({ name }) => {
  const answer = await world.ask(`/${name}/42`, header('x-a', 'a'));
  expectExit(answer, 500, { message: 'An unexpected error occurred' });
});

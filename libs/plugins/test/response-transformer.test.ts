import { expect, test } from 'vitest';
import { responseTransformer } from '../src/response-transformer.ts';
import { testExchange } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const answered = (headers: Record<string, string> = JSON_TYPE) => testExchange({ answered: headers });
const bodyAfter = (config: object, body: string, headers?: Record<string, string>) =>
  instance(responseTransformer, config).body(answered(headers), body);

test('JSON rules apply in order: remove, rename, replace, add, append', () => {
  const config = {
    remove: { json: ['gone'] },
    rename: { json: ['old:new', 'missing:kept'] },
    replace: { json: ['rep:changed', 'absent:never'] },
    add: { json: ['added:a:b', 'kept:not-this'] },
    append: { json: ['list:more', 'text:two', 'number:only', 'fresh:first'] },
  };
  const body = {
    gone: 1,
    old: 'o',
    rep: 'r',
    kept: 'k',
    list: ['a'],
    text: 'one',
    number: 7,
    other: { a: [] },
  };
  expect(JSON.parse(bodyAfter(config, JSON.stringify(body)) ?? '')).toEqual({
    new: 'o',
    rep: 'changed',
    kept: 'k',
    list: ['a', 'more'],
    text: ['one', 'two'],
    number: ['only'],
    other: { a: [] },
    added: 'a:b',
    fresh: ['first'],
  });
});

test('json_types give values their type by position; a number that is none leaves its rule out', () => {
  const add = {
    json: ['n:42', 'b:true', 'f:no', 's:42', 'x:abc'],
    json_types: ['number', 'boolean', 'boolean'],
  };
  expect(bodyAfter({ add }, '{}')).toBe('{"n":42,"b":true,"f":false,"s":"42","x":"abc"}');
  expect(bodyAfter({ add: { json: ['n:abc'], json_types: ['number'] } }, '{"a":1}')).toBe('{"a":1}');
});

test('numbers and keys that JavaScript would change stay as they are', () => {
  const body = '{"id":12345678901234567890,"__proto__":{"a":1},"gone":1}';
  expect(bodyAfter({ remove: { json: ['gone'] } }, body)).toBe(
    '{"id":12345678901234567890,"__proto__":{"a":1}}',
  );
});

const untouched: [what: string, body: string, headers: Record<string, string>][] = [
  ['malformed JSON', '{broken', JSON_TYPE],
  ['a list', '[1]', JSON_TYPE],
  ['nothing', '', JSON_TYPE],
  ['another type', '{"gone":1}', { 'content-type': 'text/plain' }],
  ['an encoded body', '{"gone":1}', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
];
test.each(untouched)('%s goes through unchanged', (_what, body, headers) => {
  expect(bodyAfter({ remove: { json: ['gone'] } }, body, headers)).toBeUndefined();
});

test('without JSON rules nobody asks for the body', () => {
  const headersOnly = instance(responseTransformer, { add: { headers: ['x-a:1'] } });
  expect(headersOnly.wantsBody(answered())).toBe(false);
});

test('an entry without a value is refused with its place', () => {
  expect(problemsOf(responseTransformer, { add: { json: ['a:1', 'b'] } })).toEqual({
    'add.json.1': "key 'b' has no value",
  });
  expect(problemsOf(responseTransformer, { add: { json: ['a:1'], json_types: ['integer'] } })).toEqual({
    'add.json_types.0': 'expected one of: boolean, number, string',
  });
});

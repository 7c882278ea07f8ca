import { expect, test } from 'vitest';
import { type Fields, mergeFields, readForm } from '../src/index.ts';

const fields: Fields = {
  name: { type: 'string' },
  enabled: { type: 'boolean' },
  port: { type: 'integer' },
  paths: { type: 'array', elements: { type: 'string' } },
  statuses: { type: 'set', elements: { type: 'integer' } },
  headers: { type: 'map', values: { type: 'array', elements: { type: 'string' } } },
  config: { type: 'record', fields: { redis: { type: 'record', fields: { port: { type: 'integer' } } } } },
};

test.each([
  [[['port', '80']], { port: 80 }],
  [[['port', 'eighty']], { port: 'eighty' }],
  [[['enabled', 'true']], { enabled: true }],
  [[['enabled', 'yes']], { enabled: 'yes' }],
  [[['name', '12']], { name: '12' }],
  [[['name', '']], { name: null }],
  [[['paths', '/a']], { paths: ['/a'] }],
  [[['paths', '']], { paths: null }],
  [
    [
      ['paths[]', '/a'],
      ['paths[]', '/b'],
    ],
    { paths: ['/a', '/b'] },
  ],
  [
    [
      ['paths[2]', '/b'],
      ['paths[1]', '/a'],
    ],
    { paths: ['/a', '/b'] },
  ],
  [
    [
      ['statuses[]', '200'],
      ['statuses[]', 'x'],
    ],
    { statuses: [200, 'x'] },
  ],
  [[['headers.x-a[]', '1']], { headers: { 'x-a': ['1'] } }],
  [[['config.redis.port', '6379']], { config: { redis: { port: 6379 } } }],
  [[['unknown.key', '1']], { unknown: { key: '1' } }],
  [
    [
      ['name', 'a'],
      ['name', 'b'],
    ],
    { name: ['a', 'b'] },
  ],
] as [[string, string][], object][])('the form %j reads as %j', (entries, entity) => {
  expect(readForm(fields, entries)).toEqual(entity);
});

test('a key nested deeper than any configuration is one unknown key', () => {
  const key = Array.from({ length: 40 }, () => 'a').join('.');
  expect(readForm(fields, [[key, '1']])).toEqual({ [key]: '1' });
});

test('a change merges records and replaces everything else', () => {
  const before = {
    name: 'a',
    paths: ['/a'],
    headers: { x: ['1'] },
    config: { redis: { port: 1 }, other: 2 },
  };
  const change = { paths: ['/b'], headers: { y: ['2'] }, config: { redis: { port: null } } };
  expect(mergeFields(fields, before, change)).toEqual({
    name: 'a',
    paths: ['/b'],
    headers: { y: ['2'] },
    config: { redis: { port: null }, other: 2 },
  });
});

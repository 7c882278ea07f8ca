import { describe, expect, test } from 'vitest';
import { requestValidation } from '../src/request-validation.ts';
import { ordersApi as api } from './orders-api.ts';
import { problemsOf } from './run.ts';

const refused = (config: object) => problemsOf(requestValidation, config);
const withSchema = (schema: object) => refused({ body_schema: schema });

describe('a configuration that cannot work', () => {
  test('needs a document or a schema, and not both', () => {
    expect(refused({})['']).toContain('openapi, body_schema');
    expect(refused({ openapi: api, body_schema: {} })).toHaveProperty('body_schema');
  });

  const loop = {
    $defs: { a: { $ref: '#/$defs/b' }, b: { allOf: [{ $ref: '#/$defs/a' }] } },
    $ref: '#/$defs/a',
  };
  const laughs = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [
      `s${i}`,
      { allOf: [{ $ref: `#/$defs/s${i + 1}` }, { $ref: `#/$defs/s${i + 1}` }] },
    ]),
  );
  const chain = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`s${i}`, { $ref: `#/$defs/s${i + 1}` }]),
  );
  const cases: [string, object, string, string][] = [
    [
      'a type that is none',
      { properties: { a: { type: 'strin' } } },
      'body_schema.properties.a.type',
      'must be',
    ],
    ['a remote reference', { $ref: 'https://example.com/s.json' }, 'body_schema.$ref', 'nothing is fetched'],
    ['a file', { items: { $ref: 'other.json' } }, 'body_schema.items.$ref', 'nothing is fetched'],
    ['a reference to nothing', { $ref: '#/$defs/x' }, 'body_schema.$ref', 'there is nothing'],
    [
      'a look-ahead',
      { properties: { a: { pattern: '(?=x)' } } },
      'body_schema.properties.a.pattern',
      'look-around',
    ],
    [
      'a back-reference',
      { patternProperties: { '(a)\\1': {} } },
      'body_schema.patternProperties',
      'back-reference',
    ],
    ['a long pattern', { pattern: 'a'.repeat(501) }, 'body_schema.pattern', '500'],
    ['a circle', loop, 'body_schema.$defs.a', 'refers to itself'],
    ['references that double', { $defs: { ...laughs, s20: {} }, $ref: '#/$defs/s0' }, 'body_schema', '5000'],
    ['a long chain', { $defs: { ...chain, s40: {} }, $ref: '#/$defs/s0' }, 'body_schema', '32 times'],
    ['a dynamic reference', { $dynamicRef: '#x' }, 'body_schema.$dynamicRef', 'not supported'],
    [
      'another dialect',
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      'body_schema.$schema',
      'json-schema.org/draft/2020-12',
    ],
  ];
  test.each(cases)('%s', (_, schema, field, message) => {
    const problems = withSchema(schema);
    expect(Object.keys(problems)).toContain(field);
    expect(problems[field]).toContain(message);
  });

  test('text that is no JSON, or says where its problem is', () => {
    expect(refused({ body_schema: '{' })['body_schema']).toContain('is no JSON');
    expect(refused({ body_schema: '{"a":{},"a":{}}' })['body_schema']).toContain("the name 'a' twice");
    expect(refused({ body_schema: '{"items":{"pattern":"(?=x)"}}' })['body_schema']).toContain(
      'at /items/pattern: ',
    );
  });

  const changed = (change: (copy: typeof api) => void) => {
    const copy = structuredClone(api);
    change(copy);
    return refused({ openapi: copy });
  };
  test('documents of another version, and what they say that is not supported', () => {
    expect(changed((copy) => Object.assign(copy, { openapi: '3.0.3' }))['openapi.openapi']).toContain('3.1');
    const style = changed((copy) => {
      Object.assign(copy.components.parameters.Dry, { style: 'deepObject' });
    });
    expect(style['openapi.components.parameters.Dry.style']).toContain('write form');
    const remote = changed((copy) => {
      copy.paths['/orders'].post.parameters = [{ $ref: 'https://example.com/p' }];
    });
    expect(remote['openapi.paths./orders.post.parameters.0.$ref']).toContain('nothing is fetched');
  });

  test('what is not checked is a warning', () => {
    const config = { body_schema: { properties: { a: { format: 'colour', requred: [] } } } };
    const parsed = requestValidation.config.parse(config);
    expect(requestValidation.warnings?.(parsed, { environment: {} })).toEqual([
      'config.body_schema.properties.a.requred: unknown keyword, it checks nothing',
      "config.body_schema.properties.a.format: the format 'colour' checks nothing",
    ]);
  });
});

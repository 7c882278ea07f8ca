import { describe, expect, test } from 'vitest';
import { requestValidation } from '../src/request-validation.ts';
import { type Given, seen, testExchange, testPorts } from './exchange.ts';
import { ordersApi as api } from './orders-api.ts';
import { instance, refusalOf } from './run.ts';

const JSON_BODY = { 'content-type': 'application/json', 'content-length': '9' };

const judge = async (config: object, given: Given) => {
  const ports = testPorts();
  const exchange = testExchange(given);
  const step = await instance(requestValidation, config).access(exchange, ports);
  return { refusal: refusalOf(step) as Refusal | undefined, ports, exchange };
};
interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  readonly body: { error: { code: string; message: string; details: Detail[] } };
}
interface Detail {
  readonly in: string;
  readonly path: string;
  readonly message: string;
}
const post = (body: unknown, headers: Given['headers'] = {}): Given => ({
  method: 'POST',
  target: '/v1/orders',
  headers: { ...JSON_BODY, ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const detailsOf = (refusal: Refusal | undefined): string[] =>
  (refusal?.body.error.details ?? []).map((one) => `${one.in} ${one.path}: ${one.message}`);

describe('an OpenAPI document', () => {
  const order = { sku: 'ABC-1', lines: [{ count: 1 }] };

  test('given a request that fits, when it is judged, then it passes and its body can still be sent', async () => {
    const { refusal, exchange } = await judge({ openapi: api }, post(order));
    expect(refusal).toBeUndefined();
    expect(exchange.sentBody?.toString()).toBe(JSON.stringify(order));
  });

  test('given the document as text, then it judges as the object does', async () => {
    const { refusal } = await judge({ openapi: JSON.stringify(api) }, post({ ...order, sku: 'x' }));
    expect(refusal?.status).toBe(400);
  });

  test('given several faults, when they are told, then each has its place and its rule, and no value', async () => {
    const bad = { sku: 'secret-value', lines: [{ count: 0 }, { count: 'many' }], mail: 'x', extra: 1 };
    const { refusal, ports } = await judge(
      { openapi: api },
      { ...post(bad), target: '/v1/orders?dry=maybe' },
    );
    expect(refusal).toMatchObject({ status: 400, code: 'GW_REQUEST_INVALID' });
    expect(detailsOf(refusal).sort()).toEqual([
      'body /lines/0/count: must be >= 1',
      'body /lines/1/count: must be integer',
      'body /mail: must match format "email"',
      'body /sku: must match pattern "^[A-Z]{3}-[0-9]+$"',
      "body : must NOT have additional properties: 'extra'",
      'query /dry: must be boolean',
    ]);
    expect(JSON.stringify(refusal?.body)).not.toContain('secret-value');
    expect(ports.counted).toEqual(['invalid_requests']);
  });

  test('a recursive schema judges what is nested', async () => {
    const { refusal } = await judge({ openapi: api }, post({ ...order, parent: { sku: 'ABC-2' } }));
    expect(detailsOf(refusal)).toEqual(['body /parent/lines: is required']);
  });

  const listed = (target: string, headers: Given['headers'] = {}): Given => ({
    target,
    headers: { 'X-Trace': '7c9e6679-7425-40de-944b-e07fc1f90ae7', ...headers },
  });
  const parameterCases: [Given, string[]][] = [
    [listed('/v1/orders?limit=10&state=open&state=paid'), []],
    [listed('/v1/orders?state=paid'), []],
    [listed('/v1/orders?limit=0x10'), ['query /limit: must be integer']],
    [listed('/v1/orders?limit=1&limit=2'), ['query /limit: must be integer']],
    [
      listed('/v1/orders?limit=101&state=gone'),
      [
        'query /limit: must be <= 100',
        'query /state/0: must be equal to one of the allowed values: ["open","paid"]',
      ],
    ],
    [listed('/v1/orders', { 'x-trace': 'no' }), ['header /x-trace: must match format "uuid"']],
    [{ target: '/v1/orders' }, ['header /x-trace: is required']],
    [
      listed('/v1/orders', { cookie: 'a=b; session=toolong' }),
      ['cookie /session: must NOT have more than 4 characters'],
    ],
    [{ target: '/v1/orders/12' }, []],
    [{ target: '/v1/orders/abc' }, ['path /id: must be integer']],
    [{ target: '/v1/orders/latest' }, []],
  ];
  test.each(parameterCases)('%j: %j', async (given, expected) => {
    expect(detailsOf((await judge({ openapi: api }, given)).refusal)).toEqual(expected);
  });

  test('a path or a method that is not in it is refused, or passes where the configuration says so', async () => {
    const path = await judge({ openapi: api }, { target: '/v1/other' });
    expect(path.refusal).toMatchObject({ status: 404, code: 'GW_REQUEST_INVALID' });
    expect((await judge({ openapi: api }, { target: '/orders' })).refusal?.status).toBe(404);
    const method = await judge({ openapi: api }, { method: 'DELETE', target: '/v1/orders' });
    expect(method.refusal).toMatchObject({ status: 405, headers: { Allow: 'GET, POST' } });
    const open = { openapi: api, unknown_operations: 'pass' };
    expect((await judge(open, { target: '/v1/other' })).refusal).toBeUndefined();
  });

  test('base_path takes the place of the path of the server', async () => {
    const config = { openapi: api, base_path: '/shop' };
    expect((await judge(config, { target: '/shop/orders/1' })).refusal).toBeUndefined();
    expect((await judge(config, { target: '/shopping/orders/1' })).refusal?.status).toBe(404);
  });

  test('a media type that is listed without a schema streams; one that is not listed gets 415', async () => {
    const unread = (type: string) => ({
      ...post('a,b', { 'content-type': type }),
    });
    const exchange = testExchange(unread('text/csv; charset=utf-8'));
    exchange.readBody = () => {
      throw new Error('the body must stream');
    };
    expect(await instance(requestValidation, { openapi: api }).access(exchange)).toBeUndefined();
    const { refusal } = await judge({ openapi: api }, unread('text/plain'));
    expect(refusal).toMatchObject({ status: 415 });
    expect(refusal?.body.error.message).toContain('application/json, text/csv');
  });
});

describe('a body that cannot be judged', () => {
  const config = { body_schema: { type: 'object' } };
  const cases: [string, Given, number, string][] = [
    ['no JSON', post('{'), 400, 'body : must be JSON'],
    [
      'a name twice',
      post('{"a":1,"\\u0061":2}'),
      400,
      "body : must not have the name 'a' twice in one object",
    ],
    [
      'too deep',
      post(`${'['.repeat(101)}${']'.repeat(101)}`),
      400,
      'body : must not be nested deeper than 100 levels',
    ],
    [
      'packed',
      post('{}', { 'content-encoding': 'gzip' }),
      415,
      "media type : The Content-Encoding 'gzip' is not supported here; send the body as it is",
    ],
    ['missing', { method: 'POST' }, 400, 'body : is required'],
  ];
  test.each(cases)('%s', async (_, given, status, detail) => {
    const { refusal } = await judge(config, given);
    expect(refusal?.status).toBe(status);
    expect(detailsOf(refusal)).toEqual([detail]);
  });

  test('bytes that are no UTF-8', async () => {
    const given = { ...post(''), body: Buffer.from([0x22, 0xff, 0x22]) };
    expect(detailsOf((await judge(config, given)).refusal)).toEqual(['body : must be text in UTF-8']);
  });

  test('a larger one than allowed gets 413', async () => {
    const { refusal } = await judge({ ...config, max_body_bytes: 10 }, post({ a: 'x'.repeat(20) }));
    expect(refusal).toMatchObject({ status: 413, code: 'GW_PAYLOAD_TOO_LARGE' });
  });

  test('a hundred thousand faults are told as one, those of a small body as twenty at most', async () => {
    const schema = { body_schema: { type: 'array', items: { type: 'string' } } };
    const large = await judge(schema, post(Array(100_000).fill(1)));
    expect(large.refusal?.body.error.details).toHaveLength(1);
    const small = await judge(schema, post(Array(100).fill(1)));
    expect(small.refusal?.body.error.details).toHaveLength(20);
  });
});

describe('schemas without a document', () => {
  test('query, path and headers are judged as objects of what their texts say', async () => {
    const config = {
      query_schema: {
        type: 'object',
        additionalProperties: false,
        properties: { page: { type: 'integer' }, tag: { type: 'array', items: { type: 'number' } } },
      },
      path_schema: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
      headers_schema: { type: 'object', required: ['x-key'] },
    };
    const good = { target: '/x?page=2&tag=1&tag=2.5', uriCaptures: { id: '7' }, headers: { 'X-Key': 'a' } };
    expect((await judge(config, good)).refusal).toBeUndefined();
    const { refusal } = await judge(config, { target: '/x?page=a&more=1', uriCaptures: { id: 'b' } });
    expect(detailsOf(refusal).sort()).toEqual([
      'header /x-key: is required',
      'path /id: must be integer',
      'query /page: must be integer',
      "query : must NOT have additional properties: 'more'",
    ]);
  });

  test('a GET needs no body; other media types pass where the configuration says so', async () => {
    const config = { body_schema: { type: 'object' }, other_content_types: 'pass' };
    expect((await judge(config, {})).refusal).toBeUndefined();
    expect((await judge(config, post('x', { 'content-type': 'text/plain' }))).refusal).toBeUndefined();
    const vendor = post('[]', { 'content-type': 'application/vnd.x+json; v=1' });
    expect(detailsOf((await judge(config, vendor)).refusal)).toEqual(['body : must be object']);
  });
});

describe('modes', () => {
  const config = { body_schema: { type: 'object' } };
  test('shadow passes, counts and says so in a header', async () => {
    const { refusal, ports, exchange } = await judge({ ...config, mode: 'shadow' }, post('[]'));
    expect(refusal).toBeUndefined();
    expect(ports.counted).toEqual(['invalid_requests']);
    expect(seen(exchange.toClient)['x-request-validation']).toBe('shadow; mismatch');
  });
  test('off does not read the body', () => {
    const exchange = testExchange(post('['));
    exchange.readBody = () => {
      throw new Error('the body must stream');
    };
    expect(instance(requestValidation, { ...config, mode: 'off' }).access(exchange)).toBeUndefined();
  });
  test('without details the client is told only that it does not fit', async () => {
    const { refusal } = await judge({ ...config, details: false }, post('[]'));
    expect(refusal?.body.error.details).toEqual([]);
  });
});

test('a list of fifty thousand distinct objects is judged unique in one pass', async () => {
  const config = { body_schema: { uniqueItems: true } };
  const items = Array.from({ length: 50_000 }, (_, i) => ({ i }));
  expect((await judge(config, post(items))).refusal).toBeUndefined();
  const twice = post([
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ]);
  expect(detailsOf((await judge(config, twice)).refusal)).toEqual(['body : must NOT have duplicate items']);
});

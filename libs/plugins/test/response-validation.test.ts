import { expect, test } from 'vitest';
import { responseValidation } from '../src/response-validation.ts';
import { seen, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const user = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } };
const json = (schema: object) => ({ 'application/json': { schema } });
const api = {
  openapi: '3.1.0',
  paths: {
    '/users/{id}': {
      get: {
        responses: {
          200: {
            headers: { 'X-Version': { required: true, schema: { type: 'integer' } } },
            content: json({ $ref: '#/components/schemas/User' }),
          },
          '4XX': { content: json({ required: ['error'] }) },
          204: {},
        },
      },
    },
  },
  components: { schemas: { User: user } },
};

interface Answered {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly target?: string;
}
const JSON_TYPE = { 'content-type': 'application/json', 'x-version': '3' };

/** Head and body of an upstream's answer through the plugin, as the edge does it. */
const judge = (config: object, body: string, answered: Answered = {}) => {
  const { status = 200, headers = JSON_TYPE, method = 'GET', target = '/users/1' } = answered;
  const ports = testPorts();
  const exchange = testExchange({ method, target, answered: headers });
  exchange.upstream = { status };
  const plugin = instance(responseValidation, config);
  plugin.response(exchange, ports);
  const atHead = refusalOf(plugin.inspect(exchange, ports));
  if (atHead !== undefined) return { refusal: atHead, ports };
  const wantsBody = plugin.wantsBody(exchange);
  const prepared = responseValidation.prepare(responseValidation.config.parse(config), {
    ...{ pluginId: 'p', routeId: null, serviceId: null, consumerId: null },
  });
  const made = wantsBody
    ? responseValidation.body?.(exchange, prepared, Buffer.from(body), ports)
    : undefined;
  return { refusal: refusalOf(made), ports, wantsBody };
};
const details = { details: true, openapi: api };

test('given a response that fits, then it passes', () => {
  expect(judge({ openapi: api }, '{"id":1}')).toMatchObject({ refusal: undefined, wantsBody: true });
});

test('given a body that does not fit, then 502, and only the log knows where unless details are wanted', () => {
  const { refusal, ports } = judge({ openapi: api }, '{"id":"secret"}');
  expect(refusal).toMatchObject({
    status: 502,
    code: 'GW_RESPONSE_INVALID',
    body: { error: { details: [], message: 'The response does not fit its schema: 1 problem' } },
  });
  expect(ports.counted).toEqual(['invalid_responses']);
  expect(judge(details, '{"id":"secret"}').refusal).toMatchObject({
    body: { error: { details: [{ in: 'body', path: '/id', message: 'must be integer' }] } },
  });
});

const heads: [string, Answered, string, object | undefined][] = [
  ['a header is missing', { headers: { 'content-type': 'application/json' } }, '{"id":1}', { status: 502 }],
  [
    'a media type is not listed',
    { headers: { ...JSON_TYPE, 'content-type': 'text/html' } },
    '',
    { status: 502 },
  ],
  ['a range of statuses is meant', { status: 404 }, '{}', { status: 502 }],
  ['a range of statuses fits', { status: 404 }, '{"error":1}', undefined],
  ['a status is not listed', { status: 301 }, '{}', undefined],
  ['a status has no body', { status: 204, headers: {} }, '', undefined],
  ['another path is asked', { target: '/other' }, '{}', undefined],
  ['it is packed', { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }, '{"id":1}', { status: 502 }],
];
test.each(heads)('given that %s', (_, answered, body, refusal) => {
  const { refusal: made } = judge({ openapi: api }, body, answered);
  if (refusal === undefined) expect(made).toBeUndefined();
  else expect(made).toMatchObject(refusal);
});

test('a status that is not listed is refused where the configuration says so', () => {
  const strict = { openapi: api, unknown_statuses: 'refuse' };
  expect(judge(strict, '{}', { status: 301 }).refusal).toMatchObject({ status: 502 });
});

test('a schema for the body alone judges successes, or the statuses that are listed', () => {
  const config = { body_schema: user };
  expect(judge(config, '{}').refusal).toMatchObject({ status: 502 });
  expect(judge(config, '{}', { status: 500 }).refusal).toBeUndefined();
  expect(judge({ ...config, statuses: [500] }, '{}', { status: 500 }).refusal).toMatchObject({ status: 502 });
  expect(judge(config, 'x', { headers: { 'content-type': 'text/event-stream' } }).wantsBody).toBe(false);
});

test('shadow counts and passes, off looks at nothing', () => {
  const shadow = judge({ openapi: api, mode: 'shadow' }, '{}');
  expect(shadow.refusal).toBeUndefined();
  expect(shadow.ports.counted).toEqual(['invalid_responses']);
  const off = judge({ openapi: api, mode: 'off' }, '{}', { headers: {} });
  expect(off).toMatchObject({ refusal: undefined, wantsBody: false, ports: { counted: [] } });
});

test('a larger body than may be judged is a fault', () => {
  const { refusal } = judge({ openapi: api, max_body_bytes: 10 }, `{"id":1${' '.repeat(20)}}`);
  expect(refusal).toMatchObject({ status: 502, code: 'GW_RESPONSE_INVALID' });
});

test('the upstream is asked for a body that is not packed', () => {
  const exchange = testExchange({ headers: { 'Accept-Encoding': 'gzip' } });
  expect(instance(responseValidation, { openapi: api }).access(exchange)).toBeUndefined();
  expect(seen(exchange.toUpstream)['accept-encoding']).toBe('identity');
});

test('what cannot work is refused in the configuration', () => {
  expect(problemsOf(responseValidation, {})['']).toContain('exactly one');
  expect(problemsOf(responseValidation, { body_schema: { type: 1 } })).toHaveProperty('body_schema.type');
});

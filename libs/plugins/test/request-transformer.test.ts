import { expect, test } from 'vitest';
import { correlationId } from '../src/correlation-id.ts';
import { requestTransformer } from '../src/request-transformer.ts';
import { type Given, seen, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const run = async (config: object, given: Given = {}, ports = testPorts()) => {
  const exchange = testExchange(given);
  const step = refusalOf(await instance(requestTransformer, config).access(exchange, ports));
  return { exchange, step, headers: seen(exchange.toUpstream), query: exchange.upstreamQuery, ports };
};

const headerRows: [string, object, Record<string, string>, Record<string, string>][] = [
  ['add', { add: { headers: ['h1:v1', 'h2:value:2'] } }, { h1: 'mine' }, { h1: 'mine', h2: 'value:2' }],
  ['add of Host', { add: { headers: ['Host:evil.test'] } }, {}, {}],
  [
    'remove',
    { remove: { headers: ['x-gone', 'Cookie'] } },
    { 'X-Gone': '1', cookie: 'a=b', x: '1' },
    { x: '1' },
  ],
  ['rename', { rename: { headers: ['x-a:x-b'] } }, { 'x-a': 'new', 'x-b': 'old' }, { 'x-b': 'new' }],
  ['rename without a source', { rename: { headers: ['x-a:x-b'] } }, { 'x-b': 'old' }, { 'x-b': 'old' }],
  ['rename to the same name', { rename: { headers: ['x-a:X-A'] } }, { 'x-a': 'v' }, { 'x-a': 'v' }],
  ['replace', { replace: { headers: ['h1:new', 'h2:new'] } }, { h1: 'V' }, { h1: 'new' }],
  ['replace of Host', { replace: { headers: ['Host:rep.example'] } }, {}, { host: 'rep.example' }],
  ['append', { append: { headers: ['h1:a1', 'h1:a2'] } }, { h1: 'mine' }, { h1: 'mine, a1, a2' }],
  ['append of a value with #', { append: { headers: ['h:v1,#v2'] } }, {}, { h: 'v1,#v2' }],
  [
    'remove then add',
    { remove: { headers: ['Authorization'] }, add: { headers: ['Authorization:Basic test'] } },
    { authorization: 'Bearer secret' },
    { authorization: 'Basic test' },
  ],
  [
    'all five, in order',
    {
      remove: { headers: ['a'] },
      rename: { headers: ['b:c'] },
      replace: { headers: ['c:replaced'] },
      add: { headers: ['d:added', 'c:not-this'] },
      append: { headers: ['d:appended'] },
    },
    { a: '1', b: '2' },
    { c: 'replaced', d: 'added, appended' },
  ],
  ['nothing', {}, { x: '1' }, { x: '1' }],
];
test.each(headerRows)('headers: %s', async (_, config, headers, expected) => {
  expect((await run(config, { headers })).headers).toEqual(expected);
});

const queryRows: [string, object, string, string][] = [
  ['add', { add: { querystring: ['q1:v1', 'q2:v 2'] } }, 'q1=mine&x=a%20b', 'q1=mine&x=a%20b&q2=v%202'],
  ['remove', { remove: { querystring: ['q'] } }, 'q=1&keep=%2f&q=2', 'keep=%2f'],
  ['rename', { rename: { querystring: ['a:b'] } }, 'a=1&b=2&a=3', 'b=1&b=3'],
  ['replace', { replace: { querystring: ['a:n', 'z:n'] } }, 'a=1&c=2&a=3', 'a=n&c=2'],
  ['append', { append: { querystring: ['q:a1'] } }, 'q=mine', 'q=mine&a1'.replace('&a1', '&q=a1')],
  ['a rule that does not apply', { remove: { querystring: ['none'] } }, 'a+b=&&c', 'a+b=&&c'],
];
test.each(queryRows)('query: %s', async (_, config, query, expected) => {
  expect((await run(config, { target: `/r?${query}` })).query).toBe(expected);
});

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json; charset=utf-8';
const MULTIPART = 'multipart/form-data; boundary=xx';
const part = (name: string, value: string) =>
  `--xx\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const add = { add: { body: ['p1:v1', 'p2:v2'] } };
const remove = { remove: { body: ['gone'] } };
const rename = { rename: { body: ['old:new'] } };
const replace = { replace: { body: ['p1:newp'] } };
const append = { append: { body: ['p1:a1', 'p1:a2'] } };
const bodyRows: [string, object, string, string, string][] = [
  ['add to JSON', add, JSON_TYPE, '{"p1":"mine","e":[]}', '{"p1":"mine","e":[],"p2":"v2"}'],
  ['add to an empty JSON body', add, JSON_TYPE, '', '{"p1":"v1","p2":"v2"}'],
  ['add to malformed JSON', add, JSON_TYPE, '{not json', '{not json'],
  ['add to a JSON array', add, JSON_TYPE, '[1]', '[1]'],
  ['add to a form', add, FORM, 'p1=mine', 'p1=mine&p2=v2'],
  [
    'add to multipart',
    add,
    MULTIPART,
    `${part('h', 'w')}--xx--\r\n`,
    `${part('h', 'w')}${part('p1', 'v1')}${part('p2', 'v2')}--xx--\r\n`,
  ],
  ['add to text', add, 'text/plain', 'just text', 'just text'],
  ['remove from JSON', remove, JSON_TYPE, '{"gone":1,"keep":2}', '{"keep":2}'],
  ['remove from JSON without it', remove, JSON_TYPE, '{ "keep": 2 }', '{ "keep": 2 }'],
  ['remove from a form', remove, FORM, 'gone=1&keep=a+b', 'keep=a+b'],
  [
    'remove from multipart',
    remove,
    MULTIPART,
    `${part('gone', '1')}${part('keep', '2')}--xx--`,
    `${part('keep', '2')}--xx--\r\n`,
  ],
  ['rename in JSON', rename, JSON_TYPE, '{"old":{"a":1},"new":0}', '{"new":{"a":1}}'],
  ['rename in a form', rename, FORM, 'old=1', 'new=1'],
  ['replace in JSON', replace, JSON_TYPE, '{"p1":1}', '{"p1":"newp"}'],
  ['replace in JSON without it', replace, JSON_TYPE, '{"a":1}', '{"a":1}'],
  ['append to JSON', append, JSON_TYPE, '{"p1":"mine"}', '{"p1":["mine","a1","a2"]}'],
  ['append to a form', append, FORM, 'p1=mine', 'p1=mine&p1=a1&p1=a2'],
  ['append to multipart', append, MULTIPART, `${part('p1', '1')}--xx--\r\n`, `${part('p1', '1')}--xx--\r\n`],
  [
    'numbers no double can hold, and a key that names the prototype',
    { add: { body: ['p:ü'] } },
    JSON_TYPE,
    '{"id":9007199254740993,"f":1.50,"__proto__":{"x":1}}',
    '{"id":9007199254740993,"f":1.50,"__proto__":{"x":1},"p":"ü"}',
  ],
];
test.each(bodyRows)('body: %s', async (_, config, type, body, expected) => {
  const { exchange } = await run(config, { method: 'POST', headers: { 'Content-Type': type }, body });
  expect(exchange.sentBody?.toString()).toBe(expected);
});

test('a body that is not UTF-8 goes on byte for byte', async () => {
  const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
  const { exchange } = await run(add, { headers: { 'Content-Type': JSON_TYPE }, body });
  expect(exchange.sentBody).toEqual(body);
});

test('a body that is too large goes on unchanged, with a line in the log', async () => {
  const body = `{"gone":"${'x'.repeat(8 * 1024 * 1024)}"}`;
  const { exchange, ports } = await run(remove, { headers: { 'Content-Type': JSON_TYPE }, body });
  expect(exchange.sentBody?.length).toBe(body.length);
  expect(ports.logged).toMatchObject([{ level: 'warn' }]);
});

test('without body rules the body is not asked for and no promise is made', () => {
  const exchange = testExchange({ headers: { 'Content-Type': JSON_TYPE } });
  exchange.readBody = () => Promise.reject(new Error('must not be read'));
  expect(instance(requestTransformer, { add: { headers: ['a:b'] } }).access(exchange)).toBeUndefined();
});

test('the method is replaced, and a form moves into the query of a GET', async () => {
  expect((await run({ http_method: 'POST' }, { target: '/?a=1' })).exchange.upstreamMethod).toBe('POST');
  const given = {
    method: 'POST',
    target: '/r?hello=world',
    headers: { 'Content-Type': FORM },
    body: 'name=marco',
  };
  const { exchange, query } = await run({ http_method: 'GET' }, given);
  expect([exchange.upstreamMethod, query]).toEqual(['GET', 'hello=world&name=marco']);
});

const uriRows: [string, Given, string][] = [
  ['/v1/responses', { target: '/v1/llm?stream=true' }, '/v1/responses'],
  [
    '/api/$(uri_captures[1])/$(uri_captures.name)',
    { uriCaptures: { 1: '42', name: 'jane' } },
    '/api/42/jane',
  ],
  ['/a/$(query_params.p)', { target: '/?p=x%20y%3Fz%23%0d%0a' }, '/a/x%20y%3Fz%23%0D%0A'],
  ['/a/../b', {}, '/a/../b'],
  ['x', {}, '/x'],
];
test.each(uriRows)('the path %s is filled from the request', async (uri, given, expected) => {
  const { exchange } = await run({ replace: { uri } }, given);
  expect(exchange.upstreamPath).toBe(expected);
  expect(exchange.upstreamQuery).toBe(exchange.query);
});

test.each(['..', '%2e%2E', 'x/../..', '.'])(
  'a value %s cannot climb out of the configured path',
  async (value) => {
    const target = `/?p=${encodeURIComponent(value)}`;
    const { step, exchange } = await run({ replace: { uri: '/tenants/$(query_params.p)/x' } }, { target });
    expect(step).toMatchObject({ status: 400 });
    expect(exchange.upstreamPath).toBe('/');
  },
);

const templateRows: [string, object, Given, Record<string, string>][] = [
  [
    'headers and arguments of the request',
    {
      add: {
        headers: [
          'x-t:$(headers["x-tenant-id"])',
          'x-u:$(headers.x_user_id)',
          'x-mix:t-$(query_params.q)-end',
        ],
      },
    },
    { target: '/?q=20', headers: { 'X-Tenant-Id': 't1', 'X-User-Id': 'u1' } },
    { 'x-tenant-id': 't1', 'x-user-id': 'u1', 'x-t': 't1', 'x-u': 'u1', 'x-mix': 't-20-end' },
  ],
  [
    'a header that is being removed',
    { remove: { headers: ['x-gone'] }, add: { headers: ['x-copy:$(headers["x-gone"])'] } },
    { headers: { 'x-gone': 'its a test' } },
    { 'x-copy': 'its a test' },
  ],
  [
    'no value at all: the header is not added, unless text stands around it',
    { add: { headers: ['X-Tenant-Id:$(headers.x-tenant-id)', 'X-Key:Bearer $(NOTHING)'] } },
    {},
    { 'x-key': 'Bearer ' },
  ],
  [
    'a line break in an argument',
    { add: { headers: ['x-a:$(query_params.q)'] } },
    { target: '/?q=a%0d%0aX-Evil:1%09%C3%A9' },
    { 'x-a': 'a%0D%0AX-Evil:1\tÃ©' },
  ],
  ['text that is not ASCII', { add: { headers: ['x-a:é'] } }, {}, { 'x-a': 'Ã©' }],
  ['an escaped template', { add: { headers: ["x-a:$('$(literal)')"] } }, {}, { 'x-a': '$(literal)' }],
];
test.each(templateRows)('templates: %s', async (_, config, given, expected) => {
  expect((await run(config, given)).headers).toEqual(expected);
});

test('templates in the query see the headers as the client sent them', async () => {
  const config = {
    replace: { headers: ['x-t:changed'] },
    add: { querystring: ['t:$(headers.x-t)', 'e:$(headers.no)'] },
  };
  expect((await run(config, { target: '/?a=b', headers: { 'x-t': 't1' } })).query).toBe('a=b&t=t1');
});

test('a header the screen took away can still be read from the client', async () => {
  const exchange = testExchange({ headers: { 'X-Tenant-Id': 't1' } });
  exchange.toUpstream.delete('X-Tenant-Id');
  await instance(requestTransformer, { add: { headers: ['X-Tenant-Id:$(headers.x-tenant-id)'] } }).access(
    exchange,
  );
  expect(exchange.toUpstream.get('X-Tenant-Id')).toBe('t1');
});

test("a client's own identity header is never read", async () => {
  const exchange = testExchange({ headers: { 'X-Consumer-Username': 'spoofed' } });
  exchange.toUpstream.delete('X-Consumer-Username');
  const config = { add: { headers: ['x-who:$(headers.x-consumer-username)'] } };
  await instance(requestTransformer, config).access(exchange);
  expect(exchange.toUpstream.has('x-who')).toBe(false);
});

test.each([[{}], [{ 'X-Request-Id': '' }], [{ 'X-Request-Id': 'a'.repeat(300) }]])(
  'the id that correlation-id generated is visible to templates, with %j from the client',
  async (headers) => {
    const exchange = testExchange({ headers });
    void instance(correlationId, { header_name: 'X-Request-Id', generator: 'uuid' }).access(exchange);
    await instance(requestTransformer, { add: { headers: ['X-Trace-Id:$(headers.x-request-id)'] } }).access(
      exchange,
    );
    expect(exchange.toUpstream.get('X-Trace-Id')).toBe(exchange.toUpstream.get('X-Request-Id'));
  },
);

test.each([{ add: { headers: ['x-bad:$(foo(1))'] } }, { add: { body: ['x-bad:$(foo(1))'] } }])(
  'given %j, which cannot be evaluated, when a request comes, then the answer is 500',
  async (config) => {
    const { step } = await run(config, { headers: { 'Content-Type': JSON_TYPE } });
    expect(step).toMatchObject({ code: 'GW_PLUGIN_FAILED', status: 500 });
  },
);

const refused: [object, Record<string, string>][] = [
  [{ add: { headers: ['x-a'] } }, { 'add.headers.0': "key 'x-a' has no value" }],
  [{ add: { querystring: ['ok:1', 'q:'] } }, { 'add.querystring.1': "key 'q' has no value" }],
  [{ remove: { headers: ['a b'] } }, { 'remove.headers.0': "'a b' is not a valid header" }],
  [{ rename: { headers: ['a:b c'] } }, { 'rename.headers.0': "'b c' is not a valid header" }],
  [{ http_method: 'get' }, { http_method: 'invalid value: get' }],
  [{ ad: {} }, { '': 'unknown field' }],
  [{ add: { header: [] } }, { add: 'unknown field' }],
];
test.each(refused)('the configuration %j is refused', (config, problems) => {
  expect(problemsOf(requestTransformer, config)).toEqual(problems);
});

test('a template that cannot be parsed is refused with the configuration and by prepare', () => {
  const config = { replace: { uri: '/$(1 + 1)' } };
  expect(problemsOf(requestTransformer, config)).toMatchObject({
    'replace.uri': expect.stringContaining('$(1 + 1)'),
  });
  const unchecked = {
    ...(requestTransformer.config.parse({}) as object),
    replace: { headers: [], body: [], querystring: [], ...config.replace },
  };
  expect(() =>
    requestTransformer.prepare(unchecked, {
      pluginId: 'p',
      routeId: null,
      serviceId: null,
      consumerId: null,
    }),
  ).toThrow('$(1 + 1)');
});

test('a name that is always empty gets a warning', () => {
  const config = requestTransformer.config.parse({ add: { headers: ['x-key:Bearer $(OPENAI_API_KEY)'] } });
  expect(requestTransformer.warnings?.(config, { environment: {} })).toEqual([
    expect.stringContaining('$(OPENAI_API_KEY) is always empty'),
  ]);
});

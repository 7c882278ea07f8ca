import { expect, test } from 'vitest';
import { type Body, multipartOf, useAdmin } from './admin-cases.ts';

/* Rules of every endpoint and of every list: kong-compat 5.1 and 5.2. */

const { send, answered, load, list, made } = useAdmin();

const withServices = () =>
  load({
    services: [
      { name: 'one', host: 'one.test', tags: ['blue', 'all'] },
      { name: 'two', host: 'two.test', tags: ['green', 'all'] },
      {
        name: 'three',
        host: 'three.test',
        routes: [
          { name: 'r1', paths: ['/1'] },
          { name: 'r2', paths: ['/2'] },
        ],
      },
    ],
    consumers: [{ username: 'ann', custom_id: 'c-1' }, { username: 'bob' }],
  });

test('every answer carries Kong’s headers', async () => {
  const { headers } = await send('GET', '/services');
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'x-kong-admin-latency': expect.stringMatching(/^\d+$/),
    'access-control-allow-origin': '*',
    'access-control-allow-credentials': 'true',
    server: 'kong/3.9.1',
  });
  const { headers: withOrigin } = await send('GET', '/nowhere', undefined, { origin: 'http://ui.test' });
  expect(withOrigin['access-control-allow-origin']).toBe('http://ui.test');
});

test.each([
  { method: 'GET', path: '/nowhere', status: 404, message: 'Not found' },
  { method: 'POST', path: '/nowhere/at/all', status: 404, message: 'Not found' },
  { method: 'DELETE', path: '/services', status: 405, message: 'Method not allowed' },
  { method: 'PUT', path: '/services', status: 405, message: 'Method not allowed' },
  { method: 'POST', path: '/services/one', status: 405, message: 'Method not allowed' },
  { method: 'POST', path: '/', status: 405, message: 'Method not allowed' },
  { method: 'PATCH', path: '/status', status: 405, message: 'Method not allowed' },
  { method: 'GET', path: '/cache', status: 405, message: 'Method not allowed' },
])('$method $path is $status "$message"', async ({ method, path, status, message }) => {
  expect(await answered(method, path)).toEqual({ status, body: { message } });
});

test.each([
  { path: '/', allow: 'GET, HEAD, OPTIONS' },
  { path: '/services', allow: 'GET, HEAD, OPTIONS, POST' },
  { path: '/services/one', allow: 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT' },
  { path: '/routes/r1/service', allow: 'GET, HEAD, OPTIONS, PATCH, PUT' },
  { path: '/cache', allow: 'DELETE, OPTIONS' },
])('OPTIONS $path is 204 and allows $allow', async ({ path, allow }) => {
  const { status, text, headers } = await send('OPTIONS', path);
  expect([status, text]).toEqual([204, '']);
  expect(headers).toMatchObject({
    allow,
    'access-control-allow-methods': allow,
    'access-control-allow-headers': 'Content-Type',
  });
});

test('HEAD is GET without a body, and a trailing slash is no other path', async () => {
  await withServices();
  expect(await send('HEAD', '/services/one')).toMatchObject({ status: 200, text: '' });
  expect((await send('HEAD', '/services/none')).status).toBe(404);
  expect((await answered('GET', '/services/one/')).body).toMatchObject({ name: 'one' });
  expect((await answered('GET', '/services/')).body).toMatchObject({ data: { length: 3 } });
});

const consumer = { username: 'carl' };
test.each([
  { what: 'JSON', body: consumer },
  {
    what: 'JSON with a charset',
    body: { raw: JSON.stringify(consumer), type: 'application/json; charset=utf-8' },
  },
  { what: 'a form', body: new URLSearchParams(consumer) },
  { what: 'a multipart form', body: multipartOf(consumer) },
])('given $what, then the entity is made', async ({ body }) => {
  await load({});
  expect(await answered('POST', '/consumers', body as Body)).toMatchObject({ status: 201, body: consumer });
});

test.each([
  {
    what: 'plain text',
    body: { raw: '{"username":"x"}', type: 'text/plain' },
    status: 415,
    answer: undefined,
  },
  { what: 'XML', body: { raw: '<x/>', type: 'application/xml' }, status: 415, answer: undefined },
  { what: 'a body without a type', body: { raw: '{"username":"x"}' }, status: 415, answer: undefined },
  {
    what: 'broken JSON',
    body: { raw: '{"username":', type: 'application/json' },
    status: 400,
    answer: { message: 'Cannot parse JSON body' },
  },
  {
    what: 'empty JSON',
    body: { raw: '', type: 'application/json' },
    status: 400,
    answer: { message: 'Cannot parse JSON body' },
  },
  {
    what: 'nothing at all',
    body: undefined,
    status: 400,
    answer: expect.objectContaining({ code: 2, name: 'schema violation' }),
  },
])('given $what, then $status', async ({ body, status, answer }) => {
  expect(await answered('POST', '/consumers', body as Body)).toEqual({ status, body: answer });
});

test('given a form, then values are typed by the schema and names lead into records and lists', async () => {
  await load({});
  const service = await made(
    '/services',
    new URLSearchParams({ name: 's', host: 's.test', retries: '2', path: '' }),
  );
  expect(service).toMatchObject({ retries: 2, path: null });
  const route = await made(
    '/routes',
    new URLSearchParams([
      ['paths[]', '/a'],
      ['paths[]', '/b'],
      ['methods[1]', 'GET'],
      ['methods[2]', 'POST'],
      ['hosts', 'a.test'],
      ['strip_path', 'false'],
      ['regex_priority', '3'],
      ['headers.x-v[]', '1'],
      ['service.id', service.id],
      ['tags[]', 't'],
    ]),
  );
  expect(route).toMatchObject({
    paths: ['/a', '/b'],
    methods: ['GET', 'POST'],
    hosts: ['a.test'],
    strip_path: false,
    regex_priority: 3,
    headers: { 'x-v': ['1'] },
    service: { id: service.id },
    tags: ['t'],
  });
  const plugin = await made(
    '/plugins',
    new URLSearchParams({
      name: 'rate-limiting',
      'config.minute': '5',
      'config.policy': 'redis',
      'config.redis.host': 'r.test',
      'config.redis.port': '6380',
      'config.fault_tolerant': 'false',
      'route.id': route.id,
    }),
  );
  expect(plugin).toMatchObject({
    config: { minute: 5, policy: 'redis', redis: { host: 'r.test', port: 6380 }, fault_tolerant: false },
    route: { id: route.id },
  });
});

test('34: given 3 services, when 2 are asked for, then next and offset lead to the third', async () => {
  await withServices();
  const first = (await send('GET', '/services?size=2')).json<{
    data: unknown[];
    next: string;
    offset: string;
  }>();
  expect(first.data).toHaveLength(2);
  expect(first.next).toBe(`/services?offset=${encodeURIComponent(first.offset)}&size=2`);
  const last = (await send('GET', first.next)).json<{ data: unknown[] }>();
  expect(last).toEqual({ data: [expect.anything()], next: null });
});

test('given tags in the query, then next repeats them; a nested list’s next has the offset alone', async () => {
  await withServices();
  const tagged = (await send('GET', '/services?size=1&tags=all')).json<{ next: string; offset: string }>();
  expect(tagged.next).toBe(`/services?offset=${encodeURIComponent(tagged.offset)}&tags=all&size=1`);
  const { body } = await answered('GET', '/services/three/routes?size=1&tags=a,b/c');
  const { next, offset } = body as { next: string; offset: string };
  expect(next).toBe(`/services/three/routes?offset=${encodeURIComponent(offset)}`);
  expect(await list(next)).toHaveLength(1);
});

test.each([
  { query: 'tags=all', names: ['one', 'two'] },
  { query: 'tags=all,blue', names: ['one'] },
  { query: 'tags=blue/green', names: ['one', 'two'] },
  { query: 'tags=none', names: [] },
  { query: 'nonsense=1&size=1000', names: ['one', 'three', 'two'] },
])('GET /services?$query lists $names', async ({ query, names }) => {
  await withServices();
  expect((await list(`/services?${query}`)).map(({ name }) => name).sort()).toEqual(names);
});

const badSize = (message: string) => ({ code: 9, name: 'invalid size', message });
const badTags = (why: string) => ({
  code: 11,
  name: 'invalid options',
  message: `invalid option (tags: ${why})`,
  options: { tags: why },
});
test.each([
  { query: 'size=x', body: badSize('size must be a number') },
  { query: 'size=0', body: badSize('size must be an integer between 1 and 1000') },
  { query: 'size=1001', body: badSize('size must be an integer between 1 and 1000') },
  { query: 'size=1.5', body: badSize('size must be an integer between 1 and 1000') },
  {
    query: 'offset=x',
    body: { code: 7, name: 'invalid offset', message: "'x' is not a valid offset: bad base64 encoding" },
  },
  { query: 'tags=a,b/c', body: badTags('invalid filter syntax') },
  { query: 'tags=', body: badTags('cannot be null') },
  { query: 'tags=a,b,c,d,e,f', body: expect.objectContaining({ code: 11 }) },
])('GET /services?$query is refused', async ({ query, body }) => {
  expect(await answered('GET', `/services?${query}`)).toEqual({ status: 400, body });
});

test('an empty list, and a consumer by custom_id', async () => {
  await withServices();
  expect((await answered('GET', '/upstreams')).body).toEqual({ data: [], next: null });
  expect((await answered('GET', '/consumers?custom_id=c-1')).body).toEqual({
    data: [expect.objectContaining({ username: 'ann' })],
    next: null,
  });
  expect((await answered('GET', '/consumers?custom_id=none')).body).toEqual({ data: [], next: null });
});

test('GET /tags and /tags/{tag} name the entities', async () => {
  await withServices();
  const { data } = (await send('GET', '/tags')).json<{ data: { tag: string; entity_name: string }[] }>();
  expect(data.map(({ tag, entity_name }) => `${tag} ${entity_name}`).sort()).toEqual([
    'all services',
    'all services',
    'blue services',
    'green services',
  ]);
  const one = (await answered('GET', '/services/one')).body as { id: string };
  expect((await answered('GET', '/tags/blue')).body).toEqual({
    data: [{ tag: 'blue', entity_name: 'services', entity_id: one.id }],
    next: null,
  });
});

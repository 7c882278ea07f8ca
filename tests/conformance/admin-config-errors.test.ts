import { expect, test } from 'vitest';
import { type Body, UUID, useAdmin } from './admin-cases.ts';

/* What POST /config refuses, and in which words: kong-compat 1.4 and 1.5. */

const { answered, send, load, list } = useAdmin();

const post = async (body: Body, query = '') => {
  const { status, body: said } = await answered('POST', `/config${query}`, body);
  return { status, said: said as Record<string, unknown> & { fields: Record<string, unknown> } };
};
const document = (entities: object): Body => ({ _format_version: '3.0', ...entities });
const service = (over: object) => ({ name: 's', host: 'h.test', ...over });

test.each([
  { what: 'an empty document', body: {} },
  { what: 'a config that is no text', body: { config: 7 } },
  { what: 'a form without config', body: new URLSearchParams({ x: '1' }) },
  { what: 'an empty form', body: new URLSearchParams() },
])('$what is no configuration', async ({ body }) => {
  expect(await answered('POST', '/config', body as Body)).toEqual({
    status: 400,
    body: { message: 'expected a declarative configuration' },
  });
});

test('another content type is 415, broken JSON 400', async () => {
  expect(await send('POST', '/config', { raw: 'x', type: 'text/plain' })).toMatchObject({
    status: 415,
    text: '',
  });
  expect(await answered('POST', '/config', { raw: '{', type: 'application/json' })).toEqual({
    status: 400,
    body: { message: 'Cannot parse JSON body' },
  });
});

test('an invalid document is code 14, says so in Lua, and leaves the running one', async () => {
  await load({ services: [service({ name: 'running' })] });
  const { status, said } = await post(document({ services: [{ port: 65_536 }] }));
  expect(status).toBe(400);
  expect(said).toEqual({
    code: 14,
    name: 'invalid declarative configuration',
    message:
      'declarative config is invalid: {services={{host="required field missing",port="value should be between 0 and 65535"}}}',
    fields: { services: [{ host: 'required field missing', port: 'value should be between 0 and 65535' }] },
  });
  expect(await list('/services')).toMatchObject([{ name: 'running' }]);
});

test.each([
  {
    what: 'no _format_version',
    body: { config: 'services: []' },
    fields: { _format_version: 'required field missing' },
  },
  {
    what: 'a number',
    body: { config: '_format_version: 3.0' },
    fields: { _format_version: 'expected a string' },
  },
  {
    what: 'another version',
    body: { _format_version: '4.0' },
    fields: { _format_version: 'expected one of: 1.1, 2.1, 3.0' },
  },
  { what: 'an unknown key', body: document({ nonsense: [] }), fields: { nonsense: 'unknown field' } },
  {
    what: 'a key of the Enterprise edition',
    body: document({ rbac_roles: [] }),
    fields: { rbac_roles: 'unknown field' },
  },
  { what: 'no list', body: document({ services: 'x' }), fields: { services: 'expected an array' } },
  {
    what: 'an unknown field',
    body: document({ services: [service({ hots: 'x' })] }),
    fields: { services: [{ hots: 'unknown field' }] },
  },
  {
    what: 'the third plugin unknown',
    body: document({ plugins: [{ name: 'cors' }, { name: 'request-termination' }, { name: 'nope' }] }),
    fields: {
      plugins: [
        null,
        null,
        { name: "plugin 'nope' not enabled; add it to the 'plugins' configuration property" },
      ],
    },
  },
  {
    what: 'a nested plugin',
    body: document({
      services: [
        service({
          routes: [
            { name: 'a', paths: ['/a'] },
            { name: 'b', paths: ['/b'], plugins: [{ name: 'cors', config: { max_age: 'x' } }] },
          ],
        }),
      ],
    }),
    fields: { services: [{ routes: [null, { plugins: [{ config: { max_age: 'expected a number' } }] }] }] },
  },
  {
    what: 'an entity as a whole',
    body: document({ routes: [{ name: 'r' }] }),
    fields: {
      routes: [
        {
          '@entity': [
            "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
          ],
        },
      ],
    },
  },
  {
    what: 'a reference to nothing',
    body: document({ routes: [{ name: 'my-route', paths: ['/'], service: 'nope' }] }),
    fields: { routes: { 'my-route': ["invalid reference 'service: nope' (no such entry in 'services')"] } },
  },
  {
    what: 'a reference as {name}',
    body: document({
      services: [service({})],
      routes: [{ name: 'r', paths: ['/'], service: { name: 's' } }],
    }),
    fields: { routes: [{ service: { id: 'missing primary key' } }] },
  },
  {
    what: 'a name twice',
    body: document({ services: [service({}), service({ host: 'other.test' })] }),
    fields: {
      services: [null, "uniqueness violation: 'services' entity with name set to 's' already declared"],
    },
  },
  {
    what: 'an id twice',
    body: document({ services: [service({ id: UUID }), { id: UUID, host: 'other.test' }] }),
    fields: {
      services: [
        null,
        `uniqueness violation: 'services' entity with primary key set to '${UUID}' already declared`,
      ],
    },
  },
  {
    what: 'another unique value twice',
    body: document({
      consumers: [
        { username: 'foo', custom_id: 'conflict' },
        { username: 'bar', custom_id: 'conflict' },
      ],
    }),
    fields: {
      consumers: {
        bar: "uniqueness violation: 'consumers' entity with custom_id set to 'conflict' already declared",
      },
    },
  },
  {
    what: 'a plugin twice on one scope',
    body: document({ plugins: [{ name: 'prometheus' }, { name: 'prometheus' }] }),
    fields: {
      plugins: [
        null,
        "uniqueness violation: 'plugins' entity with primary key set to '18f2f6e2-5e0a-5bfa-93be-849850c0c527' already declared",
      ],
    },
  },
])('given $what, then fields say where', async ({ body, fields }) => {
  const { status, said } = await post(body as Body);
  expect(status).toBe(400);
  expect(said.code).toBe(14);
  expect(said.message).toMatch(/^declarative config is invalid: \{/);
  expect(said.fields).toEqual(fields);
});

test.each([
  { what: 'broken YAML', text: 'a: [1' },
  { what: 'a scalar', text: 'hello' },
])('$what could not be read, and says why', async ({ text }) => {
  const { status, said } = await post({ config: text });
  expect(status).toBe(400);
  expect(said.fields).toEqual({
    error: expect.stringMatching(/^failed parsing declarative configuration: ./),
  });
});

test('references are looked at only when the schema passed', async () => {
  const { said } = await post(
    document({ services: [{}], routes: [{ name: 'r', paths: ['/'], service: 'nope' }] }),
  );
  expect(said.fields).toEqual({ services: [{ host: 'required field missing' }] });
});

test('an unknown argument of a document in JSON is a key of it', async () => {
  const { said } = await post(document({}), '?nonsense=1');
  expect(said.fields).toEqual({ nonsense: 'unknown field' });
});

test.each(['1', 'true', 'on', 'yes'])(
  'flatten_errors=%s asks for them, any other word does not',
  async (word) => {
    const body = document({ services: [{ name: 's' }] });
    const { said } = await post(body, `?flatten_errors=${word}`);
    expect(said.flattened_errors).toHaveLength(1);
    expect((await post(body, '?flatten_errors=0')).said).not.toHaveProperty('flattened_errors');
  },
);

test('32: with flatten_errors each entity stands for itself, and fields keeps what is left', async () => {
  const body = document({
    plugins: [{ name: 'cors' }, { name: 'request-termination' }, { id: UUID, name: 'x', tags: ['t'] }],
  });
  const { status, said } = await post(body, '?flatten_errors=1');
  expect(status).toBe(400);
  expect(said.fields).toEqual({});
  expect(said.flattened_errors).toEqual([
    {
      entity_type: 'plugin',
      entity_id: UUID,
      entity_name: 'x',
      entity_tags: ['t'],
      entity: { id: UUID, name: 'x', tags: ['t'] },
      errors: [
        {
          type: 'field',
          field: 'name',
          message: "plugin 'x' not enabled; add it to the 'plugins' configuration property",
        },
      ],
    },
  ]);
});

test('flattened: nested entities are lifted with their parent, lists count from 1, wrong names are left out', async () => {
  const body = document({
    services: [
      {
        id: UUID,
        name: 'a b',
        host: 'h.test',
        tags: ['ok', 'also', 'b,d'],
        routes: [{ name: 'r', plugins: [{ name: 'http-log', config: { http_endpoint: 'nowhere' } }] }],
      },
    ],
    nonsense: 1,
  });
  const { said } = await post(body, '?flatten_errors=true');
  expect(said.fields).toEqual({ nonsense: 'unknown field' });
  const flat = said.flattened_errors as Record<string, unknown>[];
  const of = (type: string) => flat.find(({ entity_type }) => entity_type === type);
  expect(flat).toHaveLength(3);
  expect(of('service')).not.toHaveProperty('entity_name');
  expect(of('service')).not.toHaveProperty('entity_tags');
  expect(of('service')).toMatchObject({
    entity_id: UUID,
    entity: { name: 'a b', tags: ['ok', 'also', 'b,d'] },
    errors: expect.arrayContaining([
      expect.objectContaining({ type: 'field', field: 'name' }),
      expect.objectContaining({ type: 'field', field: 'tags.3' }),
    ]),
  });
  expect(of('route')).toMatchObject({
    entity_name: 'r',
    entity: { name: 'r', service: { id: UUID } },
    errors: [
      {
        type: 'entity',
        message: "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
      },
    ],
  });
  expect(of('route')?.entity).not.toHaveProperty('plugins');
  expect(of('plugin')).toMatchObject({
    entity_name: 'http-log',
    errors: [
      { type: 'field', field: 'config.http_endpoint', message: expect.stringMatching(/^missing .* in url$/) },
    ],
  });
});

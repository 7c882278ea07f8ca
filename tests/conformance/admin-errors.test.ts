import { expect, test } from 'vitest';
import { UUID, useAdmin } from './admin-cases.ts';

/* Why an entity is not written or found: kong-compat 5.3. One row per code. */

const { answered, load, made } = useAdmin();
const OTHER = '1b9e9d0c-7a0e-4a63-9b7e-6a3f0c1d2e3f';

const given = () =>
  load({
    services: [
      {
        name: 'orders',
        host: 'orders.test',
        tags: ['t'],
        retries: 1,
        routes: [{ name: 'r', paths: ['/r'] }],
      },
    ],
    consumers: [{ username: 'bob', custom_id: 'c-1' }],
  });

interface Refused {
  /** Number in kong-compat section 7. */
  readonly vector?: number;
  readonly code: number;
  readonly request: readonly [method: string, path: string, body?: object];
  readonly status?: number;
  readonly name: string;
  readonly message: string;
  readonly fields?: object;
}
const violation = (path: string, body: object, message: string, fields?: object): Refused => ({
  code: 2,
  request: ['POST', path, body],
  name: 'schema violation',
  message,
  ...(fields === undefined ? {} : { fields }),
});
/** GET and DELETE without the body. */
const bodyless = (method: string, path: string, body: object): Refused['request'] =>
  ['GET', 'DELETE'].includes(method) ? [method, path] : [method, path, body];
const refusals: readonly Refused[] = [
  ...(['GET', 'PATCH', 'PUT', 'DELETE'] as const).map((method) => ({
    code: 1,
    request: bodyless(method, '/ca_certificates/none', {}),
    name: 'invalid primary key',
    message: `invalid primary key: '{id="none"}'`,
  })),
  violation('/services', {}, 'schema violation (host: required field missing)', {
    host: 'required field missing',
  }),
  violation(
    '/services',
    { connect_timeout: 0.5 },
    '2 schema violations (connect_timeout: expected an integer; host: required field missing)',
  ),
  violation(
    '/plugins',
    { name: 'rate-limiting', config: { minute: 'x', day: 0 } },
    '2 schema violations (config.day: value must be greater than 0; config.minute: expected a number)',
    { config: { day: 'value must be greater than 0', minute: 'expected a number' } },
  ),
  violation(
    '/consumers',
    { tags: 'x' },
    "2 schema violations (at least one of these fields must be non-empty: 'custom_id', 'username'; tags: expected a set)",
    {
      '@entity': ["at least one of these fields must be non-empty: 'custom_id', 'username'"],
      tags: 'expected a set',
    },
  ),
  violation('/services', { host: 'x', id: 'x' }, 'schema violation (id: expected a valid UUID)'),
  violation('/routes', { paths: ['/'], service: 'orders' }, 'schema violation (service: expected a record)'),
  {
    code: 3,
    request: ['POST', '/consumers', { id: UUID, username: 'x' }],
    name: 'primary key violation',
    message: `primary key violation on key '{id="${UUID}"}'`,
    fields: { id: UUID },
  },
  {
    vector: 39,
    code: 4,
    request: ['DELETE', '/services/orders'],
    name: 'foreign key violation',
    message: "an existing 'routes' entity references this 'services' entity",
    fields: { '@referenced_by': 'routes' },
  },
  {
    code: 4,
    request: ['POST', '/routes', { paths: ['/'], service: { id: OTHER } }],
    name: 'foreign key violation',
    message: `the foreign key '{id="${OTHER}"}' does not reference an existing 'services' entity.`,
    fields: { service: { id: OTHER } },
  },
  {
    vector: 38,
    code: 5,
    request: ['POST', '/consumers', { username: 'bob' }],
    status: 409,
    name: 'unique constraint violation',
    message: `UNIQUE violation detected on '{username="bob"}'`,
    fields: { username: 'bob' },
  },
  {
    code: 5,
    request: ['POST', '/consumers', { username: 'x', custom_id: 'c-1' }],
    status: 409,
    name: 'unique constraint violation',
    message: `UNIQUE violation detected on '{custom_id="c-1"}'`,
  },
  {
    code: 6,
    request: ['PATCH', `/services/${OTHER}`, {}],
    status: 404,
    name: 'not found',
    message: `could not find the entity with primary key '{id="${OTHER}"}'`,
    fields: { id: OTHER },
  },
  {
    code: 6,
    request: ['PATCH', '/services/none', {}],
    status: 404,
    name: 'not found',
    message: `could not find the entity with primary key '{name="none"}'`,
    fields: { name: 'none' },
  },
  ...(['GET', 'PATCH', 'PUT', 'DELETE'] as const).map((method) => ({
    code: 10,
    request: bodyless(method, '/services/a%20b', { host: 'x' }),
    name: 'invalid unique name',
    message: "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
  })),
  {
    code: 13,
    request: ['POST', '/routes', { paths: ['/'], service: { name: 'x' } }],
    name: 'foreign keys unresolved',
    message:
      "foreign key unresolved (service.name: the foreign key cannot be resolved with '{name=\"x\"}' for an existing 'services' entity)",
  },
];

test.each(
  refusals.map((row) => ({
    ...row,
    title: `${row.vector === undefined ? '' : `${row.vector}: `}code ${row.code}`,
  })),
)('$title for $request', async ({ code, request, status = 400, name, message, fields }) => {
  await given();
  await made('/consumers', { id: UUID, username: 'held' });
  const { status: got, body } = await answered(...request);
  expect({ status: got, body }).toMatchObject({ status, body: { code, name, message } });
  if (fields !== undefined) expect(body?.fields).toEqual(fields);
});

test('two plugins of one name on one scope: 409 names the whole scope', async () => {
  await given();
  const { id } = (await answered('GET', '/services/orders')).body as { id: string };
  await made('/services/orders/plugins', { name: 'cors' });
  expect(await answered('POST', '/plugins', { name: 'cors', service: { id } })).toMatchObject({
    status: 409,
    body: {
      message: `UNIQUE violation detected on '{consumer=null,name="cors",route=null,service={id="${id}"}}'`,
    },
  });
  await made('/plugins', { name: 'cors' });
});

test('PATCH says what the update would break, and null on a required field', async () => {
  await given();
  await answered('PATCH', '/consumers/bob', { custom_id: null });
  expect((await answered('PATCH', '/consumers/bob', { username: null })).body).toMatchObject({
    message:
      "schema violation (when updating, at least one of these fields must be non-empty: 'custom_id', 'username')",
  });
  expect((await answered('PATCH', '/services/orders', { host: null })).body).toMatchObject({
    message: 'schema violation (host: required field missing)',
  });
});

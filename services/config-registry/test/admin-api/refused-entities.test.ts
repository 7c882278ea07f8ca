import { describe, expect, test } from 'vitest';
import { UUID, useRegistry } from './writing.ts';

const { send, made, generation } = useRegistry();

describe('refusals', () => {
  const refusals: readonly [string, string, unknown, number, object][] = [
    [
      'POST',
      '/services',
      { port: 'x', connect_timeout: 0.5 },
      400,
      {
        code: 2,
        name: 'schema violation',
        message:
          '3 schema violations (connect_timeout: expected an integer; host: required field missing; port: expected an integer)',
      },
    ],
    [
      'POST',
      '/routes',
      {},
      400,
      {
        message:
          "schema violation (must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https')",
      },
    ],
    ['POST', '/services', { host: 'x.test', routes: [] }, 400, { fields: { routes: 'unknown field' } }],
    ['POST', '/routes', { paths: ['/x'], service: 'x' }, 400, { fields: { service: 'expected a record' } }],
    [
      'POST',
      '/plugins',
      { name: 'rate-limiting', config: { minute: 0 } },
      400,
      { message: 'schema violation (config.minute: value must be greater than 0)' },
    ],
    [
      'POST',
      '/plugins',
      { name: 'nope' },
      400,
      {
        fields: { name: "plugin 'nope' not enabled; add it to the 'plugins' configuration property" },
      },
    ],
    [
      'POST',
      '/routes',
      { paths: ['/x'], service: { id: UUID } },
      400,
      {
        code: 4,
        name: 'foreign key violation',
        message: `the foreign key '{id="${UUID}"}' does not reference an existing 'services' entity.`,
        fields: { service: { id: UUID } },
      },
    ],
    [
      'POST',
      '/routes',
      { paths: ['/x'], service: { name: 'x' } },
      400,
      {
        code: 13,
        name: 'foreign keys unresolved',
        message:
          "foreign key unresolved (service.name: the foreign key cannot be resolved with '{name=\"x\"}' for an existing 'services' entity)",
      },
    ],
    [
      'PATCH',
      `/services/${UUID}`,
      {},
      404,
      {
        code: 6,
        name: 'not found',
        message: `could not find the entity with primary key '{id="${UUID}"}'`,
        fields: { id: UUID },
      },
    ],
    ['PUT', '/ca_certificates/none', {}, 400, { code: 1, message: `invalid primary key: '{id="none"}'` }],
    ['POST', '/services/none/routes', { paths: ['/x'] }, 404, { message: 'Not found' }],
    ['DELETE', '/routes/x/service', undefined, 405, { message: 'Method not allowed' }],
    ['PUT', '/services', {}, 405, { message: 'Method not allowed' }],
    ['POST', '/targets', {}, 404, { message: 'Not found' }],
  ];
  test.each(refusals)('%s %s %j is %i', async (method, path, body, status, expected) => {
    expect(await send(method, path, body)).toMatchObject({ status, body: expected });
  });

  test('a refused write makes no version', async () => {
    const before = await generation();
    await send('POST', '/services', {});
    await send('DELETE', '/services/none');
    expect(await generation()).toBe(before);
  });

  test('unique values, alone and together', async () => {
    const { id } = await made('/consumers', { username: 'bob', custom_id: 'c-1' });
    expect(await send('POST', '/consumers', { username: 'bob' })).toMatchObject({
      status: 409,
      body: {
        code: 5,
        name: 'unique constraint violation',
        message: `UNIQUE violation detected on '{username="bob"}'`,
        fields: { username: 'bob' },
      },
    });
    expect((await send('POST', '/consumers', { username: 'x', custom_id: 'c-1' })).status).toBe(409);
    expect(await send('POST', '/consumers', { id, username: 'other' })).toMatchObject({
      status: 400,
      body: { code: 3, message: `primary key violation on key '{id="${id}"}'` },
    });
    const service = await made('/services', { name: 's', host: 's.test' });
    await made('/services/s/plugins', { name: 'cors' });
    expect((await send('POST', '/plugins', { name: 'cors', service: { name: 's' } })).body).toMatchObject({
      message: `UNIQUE violation detected on '{consumer=null,name="cors",route=null,service={id="${service.id}"}}'`,
    });
    await made('/consumers/bob/key-auth', { key: 'a-key' });
    const repeated = await send('POST', '/consumers/bob/key-auth', { key: 'a-key' });
    expect(repeated.status).toBe(409);
    expect(JSON.stringify(repeated.body)).not.toContain('a-key');
  });

  test('a unique value is free again after its owner was renamed or removed', async () => {
    await made('/consumers', { username: 'ann' });
    expect((await send('PATCH', '/consumers/ann', { username: 'eve' })).status).toBe(200);
    await made('/consumers', { username: 'ann' });
    expect((await send('DELETE', '/consumers/ann')).status).toBe(204);
    await made('/consumers', { username: 'ann' });
  });

  test('PATCH names what became wrong', async () => {
    await made('/consumers', { username: 'ann' });
    expect((await send('PATCH', '/consumers/ann', { username: null })).body).toMatchObject({
      message:
        "schema violation (when updating, at least one of these fields must be non-empty: 'custom_id', 'username')",
    });
    await made('/services', { name: 's', host: 's.test' });
    expect((await send('PATCH', '/services/s', { host: null, protocol: null })).body).toMatchObject({
      message: '2 schema violations (host: required field missing; protocol: required field missing)',
    });
  });

  test('a plugin shares a protocol with its route, and consumers only where it may', async () => {
    await made('/routes', { name: 'g', protocols: ['grpc'], paths: ['/g'] });
    expect(
      (await send('POST', '/routes/g/plugins', { name: 'cors', protocols: ['http'] })).body,
    ).toMatchObject({
      fields: { protocols: "must match the associated route's protocols" },
    });
    await made('/consumers', { username: 'bob' });
    expect((await send('POST', '/consumers/bob/plugins', { name: 'cors' })).body).toMatchObject({
      fields: { consumer: 'value must be null' },
    });
  });
});

import { describe, expect, test } from 'vitest';
import { UUID, useRegistry } from './writing.ts';

const { send, made, world } = useRegistry();
const RANDOM_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('one entity', () => {
  test('POST answers every field, a random id and the times', async () => {
    const service = await made('/services', { name: 'orders', url: 'https://orders.test/v1' });
    expect(service).toMatchObject({
      id: expect.stringMatching(RANDOM_ID),
      name: 'orders',
      protocol: 'https',
      host: 'orders.test',
      port: 443,
      path: '/v1',
      retries: 5,
      tags: null,
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
    });
    expect(service).not.toHaveProperty('url');
    expect((await send('GET', '/services/orders')).body).toEqual(service);
    expect((await send('GET', `/services/${service.id}`)).body).toEqual(service);
  });

  test('PUT under a new id keeps that id; under a name it keeps the entity', async () => {
    const first = await send('PUT', `/services/${UUID}`, { name: 'a', host: 'a.test', retries: 1 });
    expect(first).toMatchObject({ status: 200, body: { id: UUID, retries: 1 } });
    const second = await send('PUT', '/services/a', { host: 'b.test' });
    expect(second).toMatchObject({ status: 200, body: { id: UUID, name: 'a', host: 'b.test', retries: 5 } });
    expect(second.body?.created_at).toBe(first.body?.created_at);
    const third = await send('PUT', '/services/c', { host: 'c.test' });
    expect(third).toMatchObject({ status: 200, body: { name: 'c', id: expect.stringMatching(RANDOM_ID) } });
  });

  test('PATCH merges records, replaces lists, and null clears', async () => {
    await made('/upstreams', { name: 'pool', healthchecks: { active: { http_path: '/up', timeout: 3 } } });
    const change = {
      tags: ['x'],
      healthchecks: { active: { timeout: 7, healthy: { http_statuses: [204] } } },
    };
    expect(await send('PATCH', '/upstreams/pool', change)).toMatchObject({
      status: 200,
      body: {
        tags: ['x'],
        healthchecks: {
          active: { http_path: '/up', timeout: 7, healthy: { http_statuses: [204], interval: 0 } },
        },
      },
    });
    expect((await send('PATCH', '/upstreams/pool', { tags: null })).body).toMatchObject({ tags: null });
  });

  test('given a plugin, PATCH changes one field of its config', async () => {
    const plugin = await made('/plugins', {
      name: 'rate-limiting',
      config: { minute: 5, policy: 'redis', redis_host: 'old.test' },
    });
    const change = { config: { hour: 50, redis: { host: 'new.test' } } };
    expect(await send('PATCH', `/plugins/${plugin.id}`, change)).toMatchObject({
      status: 200,
      body: { config: { minute: 5, hour: 50, policy: 'redis', redis: { host: 'new.test', port: 6379 } } },
    });
    expect((await send('PATCH', `/plugins/${plugin.id}`, { config: { hour: null } })).body).toMatchObject({
      config: { minute: 5, hour: null },
    });
  });

  test('DELETE is 204, also when there is nothing', async () => {
    await made('/consumers', { username: 'bob' });
    expect((await send('DELETE', '/consumers/bob')).status).toBe(204);
    expect((await send('DELETE', '/consumers/bob')).status).toBe(204);
    expect((await send('DELETE', `/consumers/${UUID}`)).status).toBe(204);
    expect((await send('GET', '/consumers/bob')).status).toBe(404);
  });
});

describe('bodies', () => {
  test('a form is typed by the schema', async () => {
    const body = new URLSearchParams([
      ['name', 'rate-limiting'],
      ['config.minute', '5'],
      ['config.policy', 'redis'],
      ['config.redis.host', 'r.test'],
      ['config.hide_client_headers', 'true'],
      ['protocols[]', 'http'],
      ['protocols[]', 'https'],
      ['tags', 'one'],
      ['instance_name', ''],
    ]);
    expect(await send('POST', '/plugins', body)).toMatchObject({
      status: 201,
      body: {
        config: { minute: 5, hide_client_headers: true, redis: { host: 'r.test', port: 6379 } },
        protocols: ['http', 'https'],
        tags: ['one'],
        instance_name: null,
      },
    });
  });

  test('a multipart form, numbered elements and a reference by form work', async () => {
    const service = await made('/services', { name: 'orders', host: 'o.test' });
    const form = new FormData();
    for (const [key, value] of [
      ['paths[1]', '/a'],
      ['paths[2]', '/b'],
      ['headers.x-version[]', 'v1'],
      ['service.id', service.id],
      ['strip_path', 'false'],
    ] as const)
      form.set(key, value);
    expect(await send('POST', '/routes', form)).toMatchObject({
      status: 201,
      body: {
        paths: ['/a', '/b'],
        headers: { 'x-version': ['v1'] },
        service: { id: service.id },
        strip_path: false,
      },
    });
  });

  test('what cannot be read is refused', async () => {
    const json = { 'content-type': 'application/json' };
    const post = (body: string, headers: Record<string, string>) =>
      world().call('/services', { method: 'POST', body, headers });
    const broken = await post('{"a":', json);
    expect([broken.status, await broken.json()]).toEqual([400, { message: 'Cannot parse JSON body' }]);
    expect((await post('x', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('{"__proto__":{"a":1}}', json)).status).toBe(400);
    expect((await post(`${'['.repeat(5000)}${']'.repeat(5000)}`, json)).status).toBe(400);
    const form = await send('POST', '/services', new URLSearchParams({ '__proto__.a': '1' }));
    expect(form.status).toBe(400);
  });
});

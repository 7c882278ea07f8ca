import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { OTHER_UUID, useRegistry } from './writing.ts';

const { send, made, list, generation } = useRegistry();

describe('what belongs together', () => {
  test('a service with routes stays; without them its plugins go with it', async () => {
    await made('/services', { name: 's', host: 's.test' });
    await made('/services/s/routes', { name: 'r', paths: ['/r'] });
    await made('/services/s/plugins', { name: 'cors' });
    await made('/routes/r/plugins', { name: 'cors' });
    expect(await send('DELETE', '/services/s')).toMatchObject({
      status: 400,
      body: {
        code: 4,
        message: "an existing 'routes' entity references this 'services' entity",
        fields: { '@referenced_by': 'routes' },
      },
    });
    expect(await list('/plugins')).toHaveLength(2);
    expect((await send('DELETE', '/services/s/routes/r')).status).toBe(204);
    expect(await list('/plugins')).toHaveLength(1);
    expect((await send('DELETE', '/services/s')).status).toBe(204);
    expect(await list('/plugins')).toEqual([]);
  });

  test('a consumer goes with its credentials, groups and plugins, in one version', async () => {
    await made('/consumers', { username: 'bob' });
    const key = await made('/consumers/bob/key-auth', {});
    expect(key).toMatchObject({ key: expect.stringMatching(/^[A-Za-z0-9]{32}$/), ttl: null });
    expect(key).not.toHaveProperty('updated_at');
    await made('/consumers/bob/jwt', { key: 'issuer' });
    await made('/consumers/bob/acls', { group: 'admins' });
    await made('/consumers/bob/plugins', { name: 'rate-limiting', config: { minute: 1 } });
    expect((await send('GET', `/key-auths/${String(key.key)}/consumer`)).body).toMatchObject({
      username: 'bob',
    });
    const before = Number((await generation()).slice(1));

    expect((await send('DELETE', '/consumers/bob')).status).toBe(204);

    for (const path of ['/key-auths', '/jwts', '/acls', '/plugins']) expect(await list(path)).toEqual([]);
    expect(await generation()).toBe(`r${before + 1}`);
  });

  test('children are found, moved and removed under their own parent only', async () => {
    await made('/services', { name: 'a', host: 'a.test' });
    await made('/services', { name: 'b', host: 'b.test' });
    await made('/services/a/routes', { name: 'r', paths: ['/r'] });
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect((await send(method, '/services/b/routes/r', method === 'PATCH' ? {} : undefined)).status).toBe(
        404,
      );
    expect((await send('PUT', '/services/b/routes/r', { paths: ['/r2'] })).status).toBe(200);
    expect(await list('/services/a/routes')).toEqual([]);
    expect(await list('/services/b/routes')).toMatchObject([{ name: 'r', paths: ['/r2'] }]);
    expect((await send('PATCH', '/routes/r/service', { retries: 2 })).body).toMatchObject({
      name: 'b',
      retries: 2,
    });
  });

  test('passwords are stored hashed, and a change of something else keeps them', async () => {
    const { id } = await made('/consumers', { username: 'bob' });
    const { password } = await made('/consumers/bob/basic-auth', { username: 'bob', password: 'pw' });
    const hash = createHash('sha1').update(`pw${id}`).digest('hex');
    expect(password).toBe(hash);
    expect((await send('PATCH', '/consumers/bob/basic-auth/bob', { tags: ['t'] })).body).toMatchObject({
      tags: ['t'],
      password: hash,
    });
  });

  test('targets get a port, are found by address, replaced only when there', async () => {
    await made('/upstreams', { name: 'pool' });
    const target = await made('/upstreams/pool/targets', { target: 'a.test' });
    expect(target).toMatchObject({ target: 'a.test:8000', weight: 100 });
    expect((await send('POST', '/upstreams/pool/targets', { target: 'a.test:8000' })).status).toBe(409);
    expect((await send('PUT', `/upstreams/pool/targets/${OTHER_UUID}`, { target: 'x:1' })).status).toBe(404);
    const put = await send('PUT', `/upstreams/pool/targets/${target.id}`, { target: 'a.test', weight: 5 });
    expect(put).toMatchObject({ status: 200, body: { id: target.id, weight: 5 } });
    const patch = await send('PATCH', '/upstreams/pool/targets/a.test:8000', { weight: 7 });
    expect(patch).toMatchObject({ status: 200, body: { weight: 7 } });
    await made('/upstreams/pool/targets', { target: '10.0.0.2:80' });
    expect((await list('/upstreams/pool/targets')).map((one) => one.target)).toEqual([
      '10.0.0.2:80',
      'a.test:8000',
    ]);
    expect((await send('DELETE', '/upstreams/pool/targets/a.test')).status).toBe(204);
    expect((await send('DELETE', '/upstreams/pool/targets/a.test')).status).toBe(404);
    expect((await send('DELETE', '/upstreams/pool')).status).toBe(204);
  });
});

import { startNats } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runRegistry } from '../registry-world.ts';

const CONFIG = `
_format_version: "3.0"
services:
- name: orders
  host: orders.test
  routes: [{ name: to-orders, paths: [/orders] }]
- name: users
  host: users.test
`;

let nats: Awaited<ReturnType<typeof startNats>>;
let world: Awaited<ReturnType<typeof runRegistry>>;
beforeAll(async () => {
  nats = await startNats();
  world = await runRegistry(nats.url, { env: { ADMIN_WRITES: 'false' } });
  expect((await world.postYaml(CONFIG)).status).toBe(201);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

test.each([
  ['POST', '/services', { name: 'new', host: 'n.test' }, "cannot create 'services' entities"],
  ['POST', '/services/orders/routes', { paths: ['/x'] }, "cannot create 'routes' entities"],
  ['PUT', '/services/new', { host: 'n.test' }, "cannot create or update 'services' entities by 'name'"],
  ['PATCH', '/services/orders', {}, "cannot update 'services' entities by 'name'"],
  ['DELETE', '/services/orders', undefined, "cannot remove 'services' entities by 'name'"],
])('given ADMIN_WRITES=false, %s %s says that there is no database', async (method, path, body, message) => {
  expect(await world.send(method, path, body)).toMatchObject({
    status: 405,
    body: { code: 12, name: 'operation unsupported', message: `${message} when not using a database` },
  });
});

test('the schema and the path are looked at first', async () => {
  expect(await world.send('POST', '/services', { name: 'new' })).toMatchObject({
    status: 400,
    body: {
      code: 2,
      name: 'schema violation',
      message: 'schema violation (host: required field missing)',
      fields: { host: 'required field missing' },
    },
  });
  const unknown = await world.send('PATCH', '/services/nope', {});
  expect(unknown).toMatchObject({ status: 404, body: { code: 6, fields: { name: 'nope' } } });
  expect((await world.send('DELETE', '/services/none')).status).toBe(204);
  expect(await world.send('DELETE', '/services/users/routes/to-orders')).toMatchObject({
    status: 404,
    body: { message: 'Not found' },
  });
});

test('the node says that it has no database', async () => {
  expect((await world.send('GET', '/')).body).toMatchObject({ configuration: { database: 'off' } });
  expect((await world.send('GET', '/status')).body).not.toHaveProperty('database');
});

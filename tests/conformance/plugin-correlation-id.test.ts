import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, header, routesWith, routeWith } from './plugin-cases.ts';
import { World } from './world.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = [
    ...routesWith('correlation-id', {
      plain: {},
      named: { header_name: 'X-Request-Id' },
      uuid: { generator: 'uuid' },
      counter: { generator: 'uuid#counter' },
      tracker: { generator: 'tracker' },
      echo: { header_name: 'X-Request-Id', generator: 'uuid', echo_downstream: true },
    }),
    routeWith('refused', [
      { name: 'correlation-id', config: { echo_downstream: true } },
      { name: 'key-auth' },
    ]),
  ];
  const everywhere = { header_name: 'X-Global', generator: 'uuid', echo_downstream: true };
  await world.load({
    services: [world.service('echo', routes)],
    plugins: [{ name: 'correlation-id', config: everywhere }],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  {
    field: 'header_name, generator',
    given: 'defaults',
    path: '/plain',
    name: 'kong-request-id',
    id: `${UUID}#\\d+`,
  },
  { field: 'header_name', given: 'X-Request-Id', path: '/named', name: 'x-request-id', id: `${UUID}#\\d+` },
  { field: 'generator', given: 'uuid', path: '/uuid', name: 'kong-request-id', id: UUID },
  {
    field: 'generator',
    given: 'uuid#counter',
    path: '/counter',
    name: 'kong-request-id',
    id: `${UUID}#\\d+`,
  },
  {
    field: 'generator',
    given: 'tracker',
    path: '/tracker',
    name: 'kong-request-id',
    id: '127\\.0\\.0\\.1-\\d+-\\d+-\\d+-\\d+-\\d+\\.\\d{3}',
  },
])(
  'correlation-id $field: given $given, then the upstream gets an id of that form',
  async ({ path, name, id }) => {
    const { seen, answer } = await world.through(path);
    expect(seen.headers[name]).toMatch(new RegExp(`^${id}$`));
    expect(answer.headers[name]).toBeUndefined();
  },
);

test('correlation-id generator: given uuid#counter, then the number counts up and the uuid stays', async () => {
  const ids = [];
  for (let i = 0; i < 2; i++)
    ids.push((await world.through('/counter')).seen.headers['kong-request-id'] ?? '');
  const [[first, one], [second, two]] = ids.map((id) => id.split('#')) as [string[], string[]];
  expect(second).toBe(first);
  expect(Number(two)).toBe(Number(one) + 1);
});

test('correlation-id echo_downstream: given an id of the client, then it is kept on both sides (vector: 29)', async () => {
  const { seen, answer } = await world.through('/echo', header('x-request-id', 'abc'));
  expect(seen.headers['x-request-id']).toBe('abc');
  expect(answer.headers['x-request-id']).toBe('abc');
});

test.each([
  { given: 'no id', ask: {} },
  { given: 'an empty one', ask: header('x-request-id', '') },
])(
  'correlation-id echo_downstream: given $given, then both sides get the same new one (vector: 29)',
  async ({ ask }) => {
    const { seen, answer } = await world.through('/echo', ask);
    expect(answer.headers['x-request-id']).toMatch(new RegExp(`^${UUID}$`));
    expect(seen.headers['x-request-id']).toBe(answer.headers['x-request-id']);
  },
);

test('correlation-id echo_downstream: given a refusal by another plugin, then it carries the id', async () => {
  const answer = await world.ask('/refused', header('kong-request-id', 'mine'));
  expectError(answer, 401, 'No API key found in request');
  expect(answer.headers['kong-request-id']).toBe('mine');
});

test('correlation-id echo_downstream: given no route, then the 404 carries a fresh id', async () => {
  const answer = await world.ask('/nowhere');
  expect(answer.status).toBe(404);
  expect(answer.headers['x-global']).toMatch(new RegExp(`^${UUID}$`));
});

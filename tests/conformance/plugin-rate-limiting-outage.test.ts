import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AS_SHIPPED } from '../gateway.ts';
import { expectExit, headersLike, routesWith } from './plugin-cases.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start(AS_SHIPPED);
  const routes = routesWith('rate-limiting', {
    tolerant: { hour: 100, fault_tolerant: true },
    strict: { hour: 100, fault_tolerant: false },
  });
  await world.load({ services: [world.service('echo', routes)] });
});
afterAll(() => world[Symbol.asyncDispose]());

const untilCounted = async (): Promise<void> => {
  for (const path of ['/tolerant', '/strict'])
    await eventually(async () => (await world.ask(path)).headers['ratelimit-limit'] === '100');
};

test('rate-limiting fault_tolerant: given Redis stands still, then true lets pass, false answers 500 (vector: 24)', async () => {
  await untilCounted();
  world.gateway.signal('redis-server', 'SIGSTOP');
  try {
    const tolerant = await world.ask('/tolerant');
    expect(tolerant.status).toBe(200);
    expect(headersLike(tolerant, 'ratelimit')).toEqual({});
    expect(headersLike(tolerant, 'x-ratelimit')).toEqual({});
    const strict = await world.ask('/strict');
    expectExit(strict, 500, { message: 'An unexpected error occurred' });
    expect(headersLike(strict, 'ratelimit')).toEqual({});
  } finally {
    world.gateway.signal('redis-server', 'SIGCONT');
  }
  await untilCounted();
});

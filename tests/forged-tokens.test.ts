import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectRefused } from './forgeries/expect-refused.ts';
import { FORGED } from './forgeries/families.ts';
import { GOOD_SIGNERS } from './forgeries/good-tokens.ts';
import { ForgeryWorld } from './forgery-world.ts';

let world: ForgeryWorld;
beforeAll(async () => {
  world = await ForgeryWorld.start();
});
afterAll(() => world[Symbol.asyncDispose]());

test('tokens that are what they say pass, by each algorithm, from a consumer and from the issuer', async () => {
  expect(GOOD_SIGNERS).toHaveLength(11);
  for (const { name, sign } of GOOD_SIGNERS)
    expect((await world.present(sign(world.origin))).status, name).toBe(200);
});

test.each(FORGED)('$title', async ({ family, forge }) => {
  for (const forgery of forge(world.origin)) await expectRefused(world, forgery);
  // An unknown kid made auth ask once in its cool-down, not once for each token.
  if (family === 'kid') expect(world.reached.keys).toBeLessThanOrEqual(2);
});

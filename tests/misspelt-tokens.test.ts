import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectRefused } from './forgeries/expect-refused.ts';
import { MISSPELT } from './forgeries/families.ts';
import { manyNamesOnce, respelled, wellSpelled } from './forgeries/spellings.ts';
import { ForgeryWorld } from './forgery-world.ts';

let world: ForgeryWorld;
beforeAll(async () => {
  world = await ForgeryWorld.start();
});
afterAll(() => world[Symbol.asyncDispose]());

test.each(MISSPELT)('$title', async ({ forge }) => {
  for (const forgery of forge(world.origin)) await expectRefused(world, forgery);
});

test('a token in its one spelling passes, and so does one with a name in two places', async () => {
  const token = wellSpelled();
  for (const good of [token, manyNamesOnce()]) expect((await world.present(good)).status).toBe(200);
  // Else the first of the other spellings would be another signature.
  const [twin] = respelled(token);
  const bytesOf = (text = '') => Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url');
  expect(twin?.token).not.toBe(token);
  expect(bytesOf(twin?.token)).toEqual(bytesOf(token));
});

import { expect } from 'vitest';
import type { ForgeryWorld } from '../forgery-world.ts';
import type { Forgery } from './forgery.ts';

/** Kong's answer to a bad token, and nothing behind the gateway heard of it. */
export const expectRefused = async (
  world: ForgeryWorld,
  { name, token, message, status: refusal = 401, beside }: Forgery,
): Promise<void> => {
  const { upstream, elsewhere } = world.reached;
  const { status, head, body } = await world.present(token, beside);
  expect(status, `${name}: ${token.slice(0, 400)} → ${body}`).toBe(refusal);
  if (refusal === 401) {
    expect(head).toMatch(/^content-type: application\/json; charset=utf-8$/im);
    expect(head).toMatch(/^www-authenticate: Bearer error="invalid_token"$/im);
    if (message === undefined) expect(Object.keys(JSON.parse(body))).toHaveLength(1);
    else expect(JSON.parse(body), name).toEqual({ message });
  }
  expect(world.reached).toMatchObject({ upstream, elsewhere });
};

import { startNats } from '@sluice/testkit';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { runRegistry } from '../registry-world.ts';

export const UUID = '9d0c1b9e-7a0e-4a63-9b7e-6a3f0c1d2e3f';
export const OTHER_UUID = '1b9e9d0c-7a0e-4a63-9b7e-6a3f0c1d2e3f';

/** A registry for all tests of a file, empty again before each. */
export const useRegistry = () => {
  let nats: Awaited<ReturnType<typeof startNats>>;
  let world: Awaited<ReturnType<typeof runRegistry>>;
  beforeAll(async () => {
    nats = await startNats();
    world = await runRegistry(nats.url);
  });
  beforeEach(async () => {
    expect((await world.postYaml('_format_version: "3.0"\n')).status).toBe(201);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await nats[Symbol.asyncDispose]();
  });
  const send: typeof world.send = (...args) => world.send(...args);
  return {
    send,
    world: () => world,
    natsUrl: () => nats.url,
    /** What a POST made. */
    made: async (path: string, body: unknown) => {
      const answer = await send('POST', path, body);
      expect(answer).toMatchObject({ status: 201 });
      return answer.body as Record<string, unknown> & { id: string };
    },
    list: async (path: string) => (await send('GET', path)).body?.data as Record<string, unknown>[],
    generation: async () => String((await send('GET', '/status')).body?.generation),
  };
};

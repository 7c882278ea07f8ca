import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  {
    accept: undefined,
    type: 'application/json; charset=utf-8',
    body: /^\{\n {2}"message":"no Route matched with those values",\n {2}"request_id":"(\w{32})"\n\}$/,
  },
])(
  'given an empty configuration, when asked with Accept $accept, then 404 as $type',
  async ({ accept, type, body }) => {
    const answer = await world.ask('/x', accept === undefined ? {} : { headers: { accept } });
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe(type);
    expect(answer.headers.via).toBeUndefined();
    expect(answer.headers.server).toMatch(/^kong\//);
    expect(body.exec(answer.text)?.[1]).toBe(answer.headers['x-kong-request-id']);
  },
);

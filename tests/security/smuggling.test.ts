import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf, FRAMING_CASES } from './smuggling-cases.ts';
import { ENGINES, statusesOf, World } from './world.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'];

let world: World;
let serial = 0;
beforeAll(async () => {
  world = await World.shared();
  await world.load({ services: [world.service('all', [{ name: 'all', paths: ['/'] }])] });
});
afterAll(() => world[Symbol.asyncDispose]());

describe.each(ENGINES)('by %s', (engine) => {
  test.each(FRAMING_CASES)('$name', async (framing) => {
    const faults = world.origin.faults.length;
    await Promise.all(
      METHODS.map(async (method) => {
        const id = `${method}-${++serial}`;
        const canary = `GET /smuggled-${id} HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n`;
        const text = await world.send(engine, bytesOf(framing, method, `/${id}`) + canary);
        const seen = world.origin.seen(`/${id}`);
        expect(world.origin.seen(`/smuggled-${id}`), `${method}: smuggled`).toEqual([]);
        if (framing.verdict === 'refused') {
          expect(seen, `${method}: forwarded`).toEqual([]);
          expect(statusesOf(text), method).toEqual([
            expect.toSatisfy((status) => status >= 400 && status < 500),
          ]);
        } else {
          expect(
            seen.map(({ body }) => body),
            `${method}: ${text}`,
          ).toEqual([framing.verdict.body]);
          expect(
            statusesOf(text).filter((status) => status >= 200),
            method,
          ).toEqual([200]);
        }
      }),
    );
    expect(world.origin.faults.slice(faults)).toEqual([]);
  });
});

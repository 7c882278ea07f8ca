import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf, CORE_CASES, FRAMING_CASES, type FramingCase } from './smuggling-cases.ts';
import { ENGINES, type EngineName, statusesOf, World } from './world.ts';

const USUAL = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'];
/** All others that the parser knows; TRACE and CONNECT are refused by themselves. */
const RARE = METHODS.filter((method) => ![...USUAL, 'TRACE', 'CONNECT'].includes(method));

let world: World;
let serial = 0;
beforeAll(async () => {
  world = await World.shared();
  await world.load({ services: [world.service('all', [{ name: 'all', paths: ['/'] }])] });
});
afterAll(() => world[Symbol.asyncDispose]());

const judge = async (engine: EngineName, framing: FramingCase, method: string): Promise<void> => {
  const id = `${method}-${++serial}`;
  const canary = `GET /smuggled-${id} HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n`;
  const text = await world.send(engine, bytesOf(framing, method, `/${id}`) + canary);
  const seen = world.origin.seen(`/${id}`);
  const what = `${method}, ${framing.name}`;
  expect(world.origin.seen(`/smuggled-${id}`), `${what}: smuggled`).toEqual([]);
  if (framing.verdict === 'refused') {
    expect(seen, `${what}: forwarded`).toEqual([]);
    expect(statusesOf(text), what).toEqual([expect.toSatisfy((status) => status >= 400 && status < 500)]);
    return;
  }
  expect(
    seen.map(({ body }) => body),
    `${what}: ${text}`,
  ).toEqual([framing.verdict.body]);
  expect(
    statusesOf(text).filter((status) => status >= 200),
    what,
  ).toEqual([200]);
};

describe.each(ENGINES)('by %s', (engine) => {
  test.each(FRAMING_CASES)('$name', async (framing) => {
    const faults = world.origin.faults.length;
    await Promise.all(USUAL.map((method) => judge(engine, framing, method)));
    expect(world.origin.faults.slice(faults)).toEqual([]);
  });

  test.each(RARE)('%s has its body and no other, or is refused', async (method) => {
    const faults = world.origin.faults.length;
    await Promise.all(CORE_CASES.map((framing) => judge(engine, framing, method)));
    expect(world.origin.faults.slice(faults)).toEqual([]);
  });
});

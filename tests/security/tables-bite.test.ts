import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy-3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ByteOrigin } from './byte-origin.ts';
import { bytesOf, FRAMING_CASES, type FramingCase } from './smuggling-cases.ts';
import { sendBytes } from './world.ts';

/** The library as most use it: a keep-alive agent and nothing else. */
const agent = new Agent({ keepAlive: true });
const proxy = createProxyServer({ agent });
const server = createServer((request, response) => {
  proxy.web(request, response, { target: `http://127.0.0.1:${origin.port}` }, () => response.destroy());
});
let origin: ByteOrigin;
let url = '';
let serial = 0;

beforeAll(async () => {
  origin = await ByteOrigin.start();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  agent.destroy();
  server.close();
  await origin[Symbol.asyncDispose]();
});

/** Whether the case holds by the same verdict as for the gateway. */
const holds = async (framing: FramingCase, method: string): Promise<boolean> => {
  const id = `${method}-${++serial}`;
  const faults = origin.faults.length;
  const bytes = bytesOf(framing, method, `/${id}`).replaceAll('smuggled-x', `smuggled-${id}`);
  await sendBytes(url, bytes, (text) => text.includes('\r\n\r\n'));
  const isSmuggled = origin.seen(`/smuggled-${id}`).length > 0;
  const expected =
    framing.verdict === 'refused' ? [] : [framing.verdict.body.replace('smuggled-x', `smuggled-${id}`)];
  const bodies = origin.seen(`/${id}`).map(({ body }) => body);
  return (
    !isSmuggled && origin.faults.length === faults && JSON.stringify(bodies) === JSON.stringify(expected)
  );
};

const caseNamed = (name: string): FramingCase => {
  const found = FRAMING_CASES.find((framing) => framing.name === name);
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
};

test.each([
  ['chunks', 'DELETE'],
  ['chunks', 'OPTIONS'],
  ['start: Host "h:x"', 'GET'],
  ['start: Host "a, b"', 'GET'],
  ['start: Host "u@h"', 'GET'],
  ['start: another host in the target', 'GET'],
  ['chunks in HTTP/1.0', 'POST'],
])('bare http-proxy-3 fails %s by %s: the tables bite', async (name, method) => {
  expect(await holds(caseNamed(name), method)).toBe(false);
});

test('bare http-proxy-3 passes what it should pass', async () => {
  expect(await holds(caseNamed('a length'), 'POST')).toBe(true);
});

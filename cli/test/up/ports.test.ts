import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ownerOf, Ports } from '../../src/up/ports.ts';

test('no port is handed out twice', async () => {
  const ports = new Ports();

  const port = await ports.anyFree();

  expect(await ports.claim(port)).toBeUndefined();
  expect(await ports.preferring(port)).not.toBe(port);
  expect(await new Ports().claim(port)).toBe(port);
});

test.runIf(process.platform === 'linux')('given a listener, then its pid is known', async () => {
  await using server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  expect(ownerOf(port)).toBe(process.pid);
  expect(await new Ports().claim(port)).toBeUndefined();
});

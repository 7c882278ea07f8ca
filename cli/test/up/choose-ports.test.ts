import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { choosePorts, type PortWishes } from '../../src/up/choose-ports.ts';
import { Ports } from '../../src/up/ports.ts';

const wishes: PortWishes = {
  proxyPort: 0,
  adminPort: 0,
  tlsPort: undefined,
  adminTlsPort: undefined,
  edges: 1,
  demo: false,
  startsNats: false,
  startsRedis: false,
};
const chosen = async (over: Partial<PortWishes>) => {
  const choice = await choosePorts({ ...wishes, ...over });
  if (!choice.ok) throw new Error(choice.message);
  return choice;
};
const hold = async (port: number) => {
  const server = createServer().listen(port, '127.0.0.1');
  await Promise.race([once(server, 'listening'), once(server, 'error')]); // taken by somebody else: as good
  return server;
};
const areFree = async (...ports: number[]) => {
  const all = new Ports();
  return (await Promise.all(ports.map((port) => all.claim(port)))).every((port) => port !== undefined);
};

test('given ports of one’s own, then TLS is off unless it is asked for', async () => {
  const free = await new Ports().anyFree();
  expect((await chosen({})).ports.tls).toEqual({});
  expect((await chosen({ tlsPort: free, adminTlsPort: 0 })).ports.tls).toEqual({
    proxy: free,
    admin: expect.any(Number),
  });
});

test('given a TLS port that is taken, when it was asked for, then the start ends with its flag', async () => {
  await using server = await hold(0);
  const { port } = server.address() as { port: number };
  expect(await choosePorts({ ...wishes, adminTlsPort: port })).toEqual({
    ok: false,
    message: expect.stringMatching(
      new RegExp(`^port ${port} \\(admin TLS\\) is taken by .*--admin-tls-port$`),
    ),
  });
});

test.runIf(await areFree(8000, 8001, 8444))(
  'given the usual ports, then TLS is on beside them, off where asked, and left off with a word where taken',
  async () => {
    await using _server = await hold(8443);
    const usual = { proxyPort: 8000, adminPort: 8001 };

    const { ports, notes } = await chosen(usual);

    expect(ports.tls).toEqual({ admin: 8444 });
    expect(notes).toEqual([
      expect.stringMatching(/^TLS is off: port 8443 \(proxy TLS\) is taken by .*--tls-port$/),
    ]);
    expect(await chosen({ ...usual, tlsPort: 'off', adminTlsPort: 'off' })).toMatchObject({
      ports: { tls: {} },
      notes: [],
    });
  },
);

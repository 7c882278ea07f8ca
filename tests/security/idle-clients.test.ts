import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENGINES, type EngineName, statusesOf, World } from './world.ts';

// A tenth of the clients in the usual run; SLUICE_FAULTS=long: 10,000, and until the edge has cut each of them.
const isLong = process.env.SLUICE_FAULTS === 'long';
const CLIENTS = isLong ? 10_000 : 1000;
const MAX_GROWTH_MIB = 256;
const WITHIN_MS = 60_000;
/** What an edge is given to cut who says nothing. */
const CUT_WITHIN_MS = 80_000;
/** More would overflow the queue of connections that wait to be accepted: those come again after seconds. */
const AT_ONCE = 100;
const MIB = 1024 * 1024;
const ASKED = 'GET /idle HTTP/1.1\r\nHost: h.test\r\n\r\n';

let world: World;
beforeAll(async () => {
  world = await World.shared();
  await world.load({ services: [world.service('idle', [{ name: 'idle', paths: ['/idle'] }])] });
});
afterAll(() => world[Symbol.asyncDispose]());

/** MiB that the edge has in memory. */
const memoryMib = (engine: EngineName): number => {
  const status = readFileSync(`/proc/${world.ready.edgePids[engine]}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
};

/** A client that has been answered, or one that has said nothing at all; `gone` when the edge has cut it. */
const idleClient = async (origin: URL, text: string) => {
  const socket = connect({ host: origin.hostname, port: Number(origin.port) });
  const client = { socket, isGone: false };
  socket.on('error', () => undefined).once('close', () => (client.isGone = true));
  await once(socket, 'connect');
  if (text === '') {
    socket.resume(); // or it would not see its end
    return client;
  }
  socket.write(text);
  await once(socket, 'data');
  return client;
};

test.each(ENGINES)(
  `given ${CLIENTS} clients that have been answered or say nothing, then %s serves others and holds little for them`,
  { timeout: 4 * WITHIN_MS },
  async (engine) => {
    const before = memoryMib(engine);
    const origin = new URL(world.ready.edges[engine]);
    const clients: { socket: Socket; isGone: boolean }[] = [];
    try {
      while (clients.length < CLIENTS)
        clients.push(
          ...(await Promise.all(
            Array.from({ length: AT_ONCE }, (_, n) => idleClient(origin, n % 2 === 0 ? ASKED : '')),
          )),
        );
      for (let n = 0; n < 20; n += 1) expect((await world.ask(engine, '/idle')).status).toBe(200);
      const growth = memoryMib(engine) - before;
      const cut = clients.filter(({ isGone }) => isGone).length;
      expect(growth).toBeLessThan(MAX_GROWTH_MIB);
      if (!isLong) return;
      process.stdout.write(
        `${engine}: ${CLIENTS} idle clients, ${Math.round(growth)} MiB more, ${cut} cut so far\n`,
      );
      await eventually(() => clients.every(({ isGone }) => isGone), CUT_WITHIN_MS);
    } finally {
      for (const { socket } of clients) socket.destroy();
    }
  },
);

/** Sends a head in pieces until the edge has had enough; bytes that it took, and what it said. */
const sendHead = (engine: EngineName, bytes: number, piece: (n: number) => string) =>
  new Promise<{ sent: number; text: string }>((resolve) => {
    const { hostname: host, port } = new URL(world.ready.edges[engine]);
    let [sent, text] = [0, ''];
    const socket = connect({ host, port: Number(port) }, () => {
      socket.write('GET /idle HTTP/1.1\r\nHost: h.test\r\n');
      more();
    });
    const more = (): void => {
      while (sent < bytes && !socket.destroyed) {
        const next = piece(sent);
        sent += next.length;
        if (!socket.write(next, 'latin1')) return void socket.once('drain', more);
      }
      if (!socket.destroyed) socket.end('\r\n\r\n');
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve({ sent, text }));
  });

const LINE = 'a'.repeat(8000);
const HEADS: readonly [name: string, piece: (sent: number) => string][] = [
  ['one line', (sent) => (sent === 0 ? `X-A: ${LINE}` : LINE)],
  ['many lines', () => `X-A: ${LINE}\r\n`],
  ['very many short lines', () => 'a: b\r\n'.repeat(1000)],
  ['a name without an end', () => LINE],
  ['one line of cookies', (sent) => (sent === 0 ? 'Cookie: a=b' : '; a=b'.repeat(1000))],
];

test.each(ENGINES.flatMap((engine) => HEADS.map(([name, piece]) => [engine, name, piece] as const)))(
  'by %s: heads of 64 KiB, 1 MiB and 10 MiB as %s are refused, and nothing of them is kept',
  async (engine, _name, piece) => {
    const before = memoryMib(engine);
    const received = world.origin.requests.length;
    for (const bytes of [64 * 1024, MIB, 10 * MIB]) {
      const { text } = await sendHead(engine, bytes, piece);
      // A reset may take the answer along: then nothing came back, but never anything else.
      expect(statusesOf(text).filter((status) => status !== 400 && status !== 431)).toEqual([]);
    }
    expect((await world.ask(engine, '/idle')).status).toBe(200);
    expect(world.origin.requests.length - received).toBeLessThanOrEqual(1);
    expect(memoryMib(engine) - before).toBeLessThan(MAX_GROWTH_MIB);
  },
);

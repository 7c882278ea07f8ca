import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENGINES, type EngineName, World } from './world.ts';

// A tenth of the clients in the usual run; SLUICE_FAULTS=long: 1,200, with what others waited for their answers.
const isLong = process.env.SLUICE_FAULTS === 'long';
const TRICKLING = isLong ? 590 : 60;
/** Few: of an answer that nobody reads the kernel takes up to 40 MiB, and all sockets share what it has for them. */
const READERS = isLong ? 20 : 4;
const CLIENTS = 2 * TRICKLING + READERS;
const PIECE = Buffer.alloc(256 * 1024, 0x61);
const PIECES = 512;
/** Of 128 MiB that each reader asked for. */
const MAX_GROWTH_MIB = 256;
const HEAD = 'GET /good HTTP/1.1\r\nHost: h.test\r\nX-A: ';
const BODY = 'POST /slow HTTP/1.1\r\nHost: h.test\r\nContent-Length: 100000\r\n\r\nx';
const ANSWER = 'GET /big HTTP/1.1\r\nHost: h.test\r\n\r\n';
const WITHIN_MS = 50_000;
/** More would overflow the queue of connections that wait to be accepted: those come again after seconds. */
const AT_ONCE = 60;

let world: World;
let origin: Server;
/** Pieces of answers that went out, answers begun, and bodies of which the origin waits for the rest. */
const seen = { pieces: 0, answers: 0, bodies: 0 };

/** As many pieces as are taken. */
const answer = (response: ServerResponse): void => {
  let left = PIECES;
  const more = (): void => {
    while (left > 0) {
      left -= 1;
      seen.pieces += 1;
      if (!response.write(PIECE)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
};

beforeAll(async () => {
  world = await World.shared();
  origin = createServer((request, response) => {
    if (request.url === '/good') return void response.end('good');
    if (request.method === 'POST') {
      seen.bodies += 1;
      return void request.resume().once('close', () => (seen.bodies -= 1));
    }
    seen.answers += 1;
    return answer(response);
  }).listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await new Promise((listening) => origin.once('listening', listening));
  const { port } = origin.address() as AddressInfo;
  const route = { name: 'slow', paths: ['/'], strip_path: false };
  await world.load({ services: [world.service('slow', [route], { port })] });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  origin.closeAllConnections();
  origin.close();
});

/** Clients that say this and then nothing more, and read nothing; `arrived` tells of how many the origin has heard. */
const silent = async (
  engine: EngineName,
  { count, text, arrived }: { count: number; text: string; arrived?: () => number },
): Promise<Socket[]> => {
  const { hostname: host, port } = new URL(world.ready.edges[engine]);
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const next = Math.min(AT_ONCE, count - sockets.length);
    for (let n = 0; n < next; n += 1) {
      const socket = connect({ host, port: Number(port) }, () => socket.write(text));
      sockets.push(socket.on('error', () => undefined).pause());
    }
    await eventually(() => {
      expect(sockets.some(({ connecting }) => connecting)).toBe(false);
      if (arrived !== undefined) expect(arrived()).toBe(sockets.length);
    }, WITHIN_MS);
  }
  return sockets;
};

/** MiB that the edge has in memory. */
const memoryMib = (engine: EngineName): number => {
  const status = readFileSync(`/proc/${world.ready.edgePids[engine]}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
};

/** Others are served, until nothing of the answers that nobody reads goes out any more; ms that each waited. */
const serveOthers = async (engine: EngineName): Promise<number[]> => {
  const waited: number[] = [];
  await eventually(async () => {
    const { pieces } = seen;
    for (let n = 0; n < 20; n += 1) {
      const asked = performance.now();
      expect((await world.ask(engine, '/good')).text).toBe('good');
      waited.push(performance.now() - asked);
    }
    expect(seen.pieces).toBe(pieces);
  }, WITHIN_MS);
  return waited.toSorted((a, b) => a - b);
};

const readWhole = (socket: Socket): Promise<void> => {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.resume(); // it was paused by hand
  return eventually(() => expect(bytes).toBeGreaterThan(PIECES * PIECE.length), WITHIN_MS);
};

test.each(ENGINES)(
  `given ${CLIENTS} clients that are slow with heads, with bodies and with reading, then %s serves others, and holds little for them`,
  { timeout: 4 * WITHIN_MS },
  async (engine) => {
    Object.assign(seen, { pieces: 0, answers: 0 });
    const before = memoryMib(engine);
    const opened: Socket[] = [];
    try {
      opened.push(...(await silent(engine, { count: TRICKLING, text: HEAD })));
      opened.push(...(await silent(engine, { count: TRICKLING, text: BODY, arrived: () => seen.bodies })));
      const readers = await silent(engine, { count: READERS, text: ANSWER, arrived: () => seen.answers });
      opened.push(...readers);
      const waited = await serveOthers(engine);
      const growth = memoryMib(engine) - before;
      if (isLong)
        process.stdout.write(
          `${engine}: ${CLIENTS} slow clients, ${Math.round(growth)} MiB more, others waited ` +
            `${waited.at(waited.length >> 1)?.toFixed(1)} ms (p50), ${waited.at(-1)?.toFixed(1)} ms at most\n`,
        );
      expect(seen.pieces).toBeLessThan(READERS * PIECES); // else the kernel took all, and the edge had nothing to hold
      expect(growth).toBeLessThan(MAX_GROWTH_MIB);
      await readWhole(readers[0] as Socket);
    } finally {
      for (const socket of opened) socket.destroy();
    }
    await eventually(() => expect(seen.bodies).toBe(0), WITHIN_MS);
  },
);

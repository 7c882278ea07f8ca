import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { eventually, freePort } from '@sluice/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Acceptors, type AcceptorsOptions } from '../src/acceptors.ts';

const CLIENTS = 160;
const HOST = '127.0.0.1';
const ALL = { maxConnections: 1000, onDrop: () => undefined, allowHalfOpen: false };

let accepted: Socket[];
let clients: Socket[];
let open: Acceptors[];
beforeEach(() => {
  [accepted, clients, open] = [[], [], []];
});
afterEach(async () => {
  const closed = open.map((each) => each.close());
  for (const socket of [...clients, ...accepted]) socket.destroy();
  await Promise.all(closed);
});

const opened = (over: Partial<AcceptorsOptions> = {}): Acceptors => {
  const server: Server = createServer((socket) => accepted.push(socket));
  const acceptors = new Acceptors(server, { ...ALL, ...over });
  open.push(acceptors);
  return acceptors;
};

/** The system has them all at once; when this returns none has been let in. */
const come = (port: number, count: number): void => {
  for (let i = 0; i < count; i++) clients.push(connect(port, HOST).on('error', () => undefined));
};

describe.runIf(process.platform === 'linux')('several sockets on one port', () => {
  test('given many clients at once, then the loop takes several of them in each of its turns', async () => {
    const port = await opened().listen({ host: HOST, port: 0, reusePort: false });
    come(port, CLIENTS);
    let turns = 0;
    for (; accepted.length < CLIENTS; turns++) await turn();
    expect(turns).toBeLessThan(CLIENTS / 2);
  });

  test('given most connections are open, then one more is closed and told, whichever socket takes it; when one leaves, there is room', async () => {
    let dropped = 0;
    const onDrop = () => {
      dropped += 1;
    };
    const port = await opened({ maxConnections: 20, onDrop }).listen({
      host: HOST,
      port: 0,
      reusePort: false,
    });
    come(port, 20);
    await eventually(() => accepted.length === 20);
    come(port, 10);
    await eventually(() => dropped === 10);
    expect(accepted.length).toBe(20);
    const [first, second] = accepted as [Socket, Socket];
    first.destroy();
    await once(first, 'close');
    come(port, 1);
    await eventually(() => accepted.length === 21);
    expect(second.destroyed).toBe(false);
  });

  test('given another program on the port, then it is not shared with that', async () => {
    const port = await freePort();
    await opened().listen({ host: HOST, port, reusePort: false });
    const another = opened().listen({ host: HOST, port, reusePort: false });
    await expect(another).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('given REUSE_PORT, then several processes share the port', async () => {
    const port = await freePort();
    for (let i = 0; i < 2; i++) await opened().listen({ host: HOST, port, reusePort: true });
    come(port, 4);
    await eventually(() => accepted.length === 4);
  });
});

test('given it is closed, then nobody is let in and who was in may end', async () => {
  const acceptors = opened();
  const port = await acceptors.listen({ host: HOST, port: 0, reusePort: false });
  come(port, 2);
  await eventually(() => accepted.length === 2);
  let isClosed = false;
  const closed = acceptors.close().then(() => {
    isClosed = true;
  });
  const late = connect(port, HOST);
  const [error] = await once(late, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  expect(isClosed).toBe(false);
  for (const socket of accepted) socket.end();
  for (const socket of clients) socket.end();
  await closed;
});

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connectRedis } from '@sluice/service-kit';
import { eventually, freePort, type ServerProcess, silentLogger, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { spendBudget } from '../src/spend.ts';
import { CounterStore } from '../src/store.ts';
import { check, countersOf, openStore } from './harness.ts';

const yearly = [{ period: 'year' as const, limit: 1000 }];
const SLOW_MS = 500;

/** Between a store and its Redis; may answer in its place, or let every answer wait. */
class Between implements AsyncDisposable {
  readonly port: number;
  /** What is sent in place of Redis's bytes; a number: how long they wait, in ms. */
  fault: string | number | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(redis: ServerProcess, port: number) {
    this.port = port;
    this.#server = createServer((client) => {
      const upstream = connect(redis.port, '127.0.0.1');
      client.pipe(upstream);
      upstream.on('data', (data) => {
        const { fault } = this;
        if (fault === undefined) client.write(data);
        else if (typeof fault === 'string') client.write(fault);
        else setTimeout(() => client.write(data), fault);
      });
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
      }
    });
  }

  static async start(redis: ServerProcess): Promise<Between> {
    const between = new Between(redis, await freePort());
    between.#server.listen(between.port, '127.0.0.1');
    await once(between.#server, 'listening');
    return between;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

test.each([
  ['bytes that are no RESP', 'garbage\r\n\r\n'],
  ['errors', '-ERR out of order\r\n'],
  ['another type', '$5\r\nhello\r\n'],
  ['nothing', '*-1\r\n'],
  ['negative figures', '*4\r\n:-5\r\n:-5\r\n:-5\r\n:-5\r\n'],
  ['everything 500 ms late', SLOW_MS],
])(
  'given Redis answers %s, then each check fails or is refused and none is let through; afterwards it counts again',
  async (_what, fault) => {
    await using server = await startRedis();
    await using between = await Between.start(server);
    const redis = await connectRedis({
      ...{ url: `redis://127.0.0.1:${between.port}`, name: 'test', commandTimeoutMs: 40 },
      logger: silentLogger(),
    });
    const store = new CounterStore({ redis, keyStyle: 'kong', commandTimeoutMs: 40 });
    let admitted = 0;
    const ask = async () => {
      const { outcome } = await spendBudget(store, check(yearly));
      if (outcome === 'allow') admitted += 1;
    };
    await eventually(ask);

    const before = admitted;
    between.fault = fault;
    for (let i = 0; i < 8; i++) await ask().catch(() => undefined);
    expect(admitted).toBe(before);
    between.fault = undefined;

    await eventually(ask);
    await using direct = await openStore(server);
    const { year = 0 } = await countersOf(direct.redis);
    expect(year).toBeGreaterThanOrEqual(admitted);
    redis.disconnect();
  },
);

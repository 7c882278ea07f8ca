import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@sluice/testkit';
import { isAlive, RunningGateway } from '../gateway.ts';
import { Line, type Load, startLoad } from './edge-clients.ts';

const DRAIN_MS = 6000;
/** What is under way at a SIGTERM and must be finished. */
const SLOW_MS = 5000;
const SLOW_EVERY_MS = 500;
const TICK_MS = 100;
const STREAMS = 20;
const CLIENTS = 50;
/** A stream may end so much before the deadline as the signal takes to arrive. */
const EARLY_MS = 200;

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

const startUpstream = async (): Promise<{ server: Server; port: number }> => {
  const server = createServer((incoming, response) => {
    if (incoming.url === '/slow') setTimeout(() => response.end('slow'), SLOW_MS);
    else if (incoming.url !== '/stream') response.end('ok');
    else {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write('data: tick\n\n'), TICK_MS);
      response.once('close', () => clearInterval(timer));
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, port: (server.address() as AddressInfo).port };
};

/** Twenty event streams; one that ends is opened again. */
class Streams {
  readonly ends: number[] = [];
  readonly wrong: string[] = [];
  readonly #origin: string;
  #isOver = false;
  readonly #open = new Set<Line>();

  constructor(origin: string) {
    this.#origin = origin;
    for (let n = 0; n < STREAMS; n++) this.#start();
  }

  stop(): void {
    this.#isOver = true;
    for (const line of this.#open) line.socket.destroy();
  }

  #start(): void {
    const line = new Line(this.#origin, get('/stream'));
    this.#open.add(line);
    line.socket.once('close', () => {
      this.#open.delete(line);
      if (this.#isOver) return;
      this.ends.push(performance.now());
      if (line.count('tick') === 0) this.wrong.push(`a stream had nothing: ${line.text.slice(0, 60)}`);
      this.#start();
    });
  }
}

/** Slow requests, begun one after the other. */
class SlowOnes {
  answers = 0;
  readonly wrong: string[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #under = new Set<Promise<void>>();

  constructor(origin: string) {
    this.#timer = setInterval(() => {
      const line = new Line(origin, get('/slow'));
      const one = eventually(() => line.text.endsWith('slow') || line.isOver, 4 * SLOW_MS).then(
        () => {
          if (line.text.endsWith('slow')) this.answers += 1;
          else this.wrong.push('a slow request was cut off');
        },
        () => void this.wrong.push('a slow request was not answered'),
      );
      this.#under.add(one);
      void one.then(() => {
        line.socket.destroy();
        this.#under.delete(one);
      });
    }, SLOW_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#under);
  }
}

export interface RollingRun {
  readonly seconds: number;
  /** Between one SIGTERM and the next. */
  readonly everySeconds: number;
  readonly say: (line: string) => void;
}

/** Ends one edge after the other. @returns when each was told to, in ms, monotonic. */
const rolling = async (
  gateway: RunningGateway,
  load: Load,
  { seconds, everySeconds }: RollingRun,
): Promise<readonly number[]> => {
  const begun = performance.now();
  const toldAt: number[] = [];
  const pids = [...gateway.ready.pids['edge-proxy']];
  while (performance.now() - begun < seconds * 1000) {
    const next = performance.now() + everySeconds * 1000;
    const pid = pids.shift() ?? 0;
    toldAt.push(performance.now());
    process.kill(pid, 'SIGTERM');
    await eventually(() => !isAlive(pid), 2 * DRAIN_MS);
    pids.push(await successorOf(gateway, pids));
    await load.answered(100);
    await sleep(Math.max(0, next - performance.now()));
  }
  return toldAt;
};

/** The edge that was started in the place of the one that ended. */
const successorOf = async (gateway: RunningGateway, others: readonly number[]): Promise<number> => {
  const ready = await eventually(() => {
    const found = gateway.restarted.findLast(
      (each) => each.process === 'edge-proxy' && isAlive(each.pid) && !others.includes(each.pid),
    );
    if (found === undefined) throw new Error('no edge was started again');
    return Promise.resolve(found);
  }, 30_000);
  return ready.pid;
};

/**
 * C3: one of two edges is told to end every ten seconds, under load on kept connections and with event streams and
 * slow requests.
 * @returns what was refused, reset or cut off before the deadline.
 */
export const rollingRow = async (run: RollingRun): Promise<readonly string[]> => {
  const { server, port } = await startUpstream();
  await using gateway = await RunningGateway.start(['--no-demo', '--config', 'none', '--edges', '2'], {
    DRAIN_TIMEOUT_MS: `${DRAIN_MS}`,
  });
  const document = {
    _format_version: '3.0',
    services: [{ name: 'up', host: '127.0.0.1', port, routes: [{ name: 'all', paths: ['/'] }] }],
  };
  const headers = { 'content-type': 'application/json' };
  await eventually(async () => {
    const answer = await gateway.admin('/config', {
      method: 'POST',
      headers,
      body: JSON.stringify(document),
    });
    return answer.headers['x-sluice-acknowledged'] === '2/2';
  }, 30_000);
  const { proxy } = gateway.ready;
  const load = startLoad(proxy, '/load', {}, CLIENTS);
  const streams = new Streams(proxy);
  const slow = new SlowOnes(proxy);
  await load.answered(200);
  const begun = performance.now();
  const toldAt = await rolling(gateway, load, run);
  const seconds = (performance.now() - begun) / 1000;
  await slow.stop();
  const wrong = [...(await load.stop()), ...streams.wrong, ...slow.wrong];
  streams.stop();
  const early = streams.ends.filter(
    (at) => !toldAt.some((told) => at >= told + DRAIN_MS - EARLY_MS && at < told + DRAIN_MS + 3000),
  );
  if (early.length > 0) wrong.push(`${early.length} streams ended before the deadline`);
  run.say(
    `C3 SIGTERM ${toldAt.length} times in ${seconds.toFixed(0)} s: ${load.answers()} requests ` +
      `(${Math.round(load.answers() / seconds)}/s) on ${CLIENTS} kept connections, ${slow.answers} of ${SLOW_MS / 1000} s, ` +
      `${streams.ends.length} streams ended at the deadline; ${wrong.length} refused, reset or cut off`,
  );
  server.closeAllConnections();
  server.close();
  return wrong;
};

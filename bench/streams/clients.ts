import { connect, type Socket } from 'node:net';

const EVENT = /"n":(\d+),"at":(\d+)/g;
const OPENS_WITHIN_MS = 15_000;

/** The clock of the machine, in ms; the upstream writes it into each event. */
const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** A client's connection with one stream. */
export interface Client {
  readonly socket: Socket;
  /** Ms from the upstream's first write to our first sight of it, and from our request to it. */
  readonly firstMs: number;
  readonly openedMs: number;
}

/** What all clients saw since `reset`. */
export class Seen {
  events = 0;
  /** Events whose number did not follow the one before. */
  gaps = 0;
  readonly delaysMs: number[] = [];

  reset(): void {
    this.events = 0;
    this.gaps = 0;
    this.delaysMs.length = 0;
  }
}

/** Opens one stream; resolves with its first event. */
export const openStream = (
  port: number,
  { path, headers }: { readonly path: string; readonly headers: Readonly<Record<string, string>> },
  seen: Seen,
): Promise<Client> =>
  new Promise((resolve, reject) => {
    const begun = now();
    let expected = 0;
    const socket = connect(port, '127.0.0.1');
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`${path}: ${why}`));
    };
    const timer = setTimeout(() => fail('no event in time'), OPENS_WITHIN_MS);
    const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers }).map((pair) => pair.join(': '));
    socket.setNoDelay(true);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    socket.once('error', ({ message }) => fail(message));
    socket.on('data', (chunk: Buffer) => {
      const at = now();
      const text = chunk.toString('latin1');
      if (expected === 0 && text.startsWith('HTTP/') && !text.startsWith('HTTP/1.1 200')) {
        fail(text.slice(0, 200));
        return;
      }
      for (const [, number, micros] of text.matchAll(EVENT)) {
        if (Number(number) !== expected) seen.gaps += 1;
        const delay = at - Number(micros) / 1000;
        if (expected === 0) {
          clearTimeout(timer);
          resolve({ socket, firstMs: delay, openedMs: at - begun });
        }
        expected = Number(number) + 1;
        seen.events += 1;
        seen.delaysMs.push(delay);
      }
    });
  });

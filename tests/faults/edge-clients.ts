import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { eventually } from '@sluice/testkit';

export interface Load {
  /** Requests that were answered so far. */
  readonly answers: () => number;
  /** Resolves when so many more are. */
  readonly answered: (more: number) => Promise<unknown>;
  /** Ends it and says what went wrong. */
  readonly stop: () => Promise<string[]>;
}

/** Clients that keep their connections and ask without a pause; only status 200 is right. */
export const startLoad = (
  origin: string,
  path: string,
  headers: Record<string, string> = {},
  clients = 16,
): Load => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const { hostname: host, port } = new URL(origin);
  const wrong: string[] = [];
  let answers = 0;
  let isAsking = true;
  const ask = () =>
    new Promise<void>((done) => {
      const outgoing = request({ agent, host, port, path, headers }, (answer) => {
        if (answer.statusCode !== 200) wrong.push(`status ${answer.statusCode}`);
        answer.resume().once('error', (error) => wrong.push(`answer: ${error.message}`));
        answer.once('close', () => {
          answers += 1;
          done();
        });
      });
      outgoing.once('error', (error) => {
        wrong.push(error.message);
        done();
      });
      outgoing.end();
    });
  const running = Array.from({ length: clients }, async () => {
    while (isAsking) await ask();
  });
  return {
    answers: () => answers,
    answered: (more) => {
      const from = answers;
      return eventually(() => answers > from + more, 30_000);
    },
    stop: async () => {
      isAsking = false;
      await Promise.all(running);
      agent.destroy();
      return wrong;
    },
  };
};

/** A connection by hand: what came on it, and whether it is over. */
export class Line {
  readonly socket: Socket;
  text = '';
  isOver = false;

  constructor(origin: string, bytes: string) {
    const { hostname: host, port } = new URL(origin);
    this.socket = connect({ host, port: Number(port) }, () => this.socket.write(bytes));
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    for (const event of ['end', 'close'])
      this.socket.once(event, () => {
        this.isOver = true;
      });
  }

  /** How often it has been told. */
  count(what: string): number {
    return this.text.split(what).length - 1;
  }
}

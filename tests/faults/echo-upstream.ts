import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between the parts of an answer: faults hit in the middle of it, too. */
const PAUSE_MS = 60;
const LARGE_LINES = 1500;

/** What the upstream of this name answers to a number: nobody else's answer is the same, and of three kinds. */
export const echoOf = (name: string, number: number): string => {
  const line = `${name} was asked ${number}\n`;
  return number % 3 === 0 ? line.repeat(LARGE_LINES) : line.repeat(8);
};

/** A real HTTP server that says what it was asked: at once, at once and large, or in chunks with pauses. */
export class EchoUpstream implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly #server: Server;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
  }

  static async start(name: string): Promise<EchoUpstream> {
    const server = createServer((request, response) => {
      request.resume();
      void answer(response, name, Number(request.url?.slice(1)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new EchoUpstream(name, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const answer = async (response: ServerResponse, name: string, number: number): Promise<void> => {
  const text = echoOf(name, number);
  response.setHeader('x-echo', `${number}`);
  if (number % 3 !== 1) {
    response.end(text);
    return;
  }
  const middle = Math.ceil(text.length / 2);
  response.write(text.slice(0, middle));
  await sleep(PAUSE_MS);
  response.end(text.slice(middle));
};

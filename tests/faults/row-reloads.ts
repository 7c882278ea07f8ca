import { connect, type Socket } from 'node:net';
import { startLoad } from './edge-clients.ts';
import type { GatewayWorld } from './gateway-world.ts';

const PATH = '/generation';
const KEPT = 8;
const PIPELINED = 4;
/** Requests that a pipelining client sends at once. */
const DEPTH = 8;
const REQUEST = `GET ${PATH} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ANSWER = /HTTP\/1\.1 (\d{3}) .*?\r\ncontent-length: (\d+)\r\n.*?\r\n\r\n/gis;

/** Sends several requests at once and waits for all of their answers, again and again, on one connection. */
class Pipeline {
  readonly wrong: string[] = [];
  answers = 0;
  readonly #socket: Socket;
  readonly #ended: Promise<void>;
  #isOver = false;
  #text = '';

  constructor(origin: string) {
    const { hostname: host, port } = new URL(origin);
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    this.#socket = connect({ host, port: Number(port) }, () => this.#send());
    this.#socket.on('error', (error) => this.wrong.push(error.message));
    this.#socket.on('data', (chunk) => this.#read(chunk.toString('latin1')));
    this.#socket.once('close', () => {
      if (!this.#isOver) this.wrong.push('the connection was closed');
      ended.resolve();
    });
  }

  /** Ends it when everything that was sent is answered. */
  stop(): Promise<void> {
    this.#isOver = true;
    return this.#ended;
  }

  #send(): void {
    this.#text = '';
    this.#socket.write(REQUEST.repeat(DEPTH));
  }

  #read(text: string): void {
    this.#text += text;
    const heads = [...this.#text.matchAll(ANSWER)];
    const last = heads.at(-1);
    if (heads.length < DEPTH || last === undefined) return;
    if (this.#text.length < last.index + last[0].length + Number(last[2])) return;
    for (const [, status] of heads) if (status !== '200') this.wrong.push(`status ${status}`);
    this.answers += heads.length;
    if (this.#isOver) this.#socket.end();
    else this.#send();
  }
}

export interface ReloadsRun {
  readonly reloads: number;
  readonly say: (line: string) => void;
}

/**
 * C2: the configuration is replaced again and again while clients ask on connections that they keep, some of them
 * several requests at once.
 * @returns what was lost, closed or answered otherwise.
 */
export const reloadsRow = async (
  { edges, config }: GatewayWorld,
  { reloads, say }: ReloadsRun,
): Promise<readonly string[]> => {
  const loads = edges.map(({ url }) => startLoad(url, PATH, {}, KEPT));
  const pipelines = edges.flatMap(({ url }) => Array.from({ length: PIPELINED }, () => new Pipeline(url)));
  await Promise.all(loads.map((load) => load.answered(50)));
  const wrong: string[] = [];
  const begun = performance.now();
  for (let n = 1; n <= reloads; n++) if (!(await config.post())) wrong.push(`reload ${n} was not accepted`);
  const seconds = (performance.now() - begun) / 1000;
  for (const load of loads) wrong.push(...(await load.stop()));
  await Promise.all(pipelines.map((pipeline) => pipeline.stop()));
  wrong.push(...pipelines.flatMap((pipeline) => pipeline.wrong));
  const kept = loads.reduce((sum, { answers }) => sum + answers(), 0);
  const piped = pipelines.reduce((sum, { answers }) => sum + answers, 0);
  if (piped < DEPTH * pipelines.length) wrong.push(`only ${piped} pipelined requests were answered`);
  say(
    `C2 ${reloads} reloads in ${seconds.toFixed(1)} s beside ${kept} requests on kept connections and ${piped} pipelined, ${wrong.length} lost`,
  );
  return wrong;
};

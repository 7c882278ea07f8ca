import { connect } from 'node:net';
import { type Answer, type CallOptions, call } from '@sluice/testkit';
import { inject } from 'vitest';
import { RunningGateway } from '../gateway.ts';
import { ByteOrigin } from './byte-origin.ts';
import { type ReadyEdges, startEdges } from './shared-edges.ts';

export type EngineName = keyof ReadyEdges['edges'];
export const ENGINES: readonly EngineName[] = ['undici', 'http-proxy-3'];

/** Two edges of one gateway, one for each engine, and an origin that keeps every byte. */
export class World implements AsyncDisposable {
  readonly ready: ReadyEdges;
  readonly origin: ByteOrigin;
  readonly #gateway: RunningGateway;

  private constructor(gateway: RunningGateway, ready: ReadyEdges, origin: ByteOrigin) {
    this.#gateway = gateway;
    this.ready = ready;
    this.origin = origin;
  }

  /** The gateway of this worker, for one file at a time. */
  static async shared(): Promise<World> {
    const ready = inject('edges')?.[Number(process.env.VITEST_POOL_ID ?? 1) - 1];
    if (ready === undefined) return World.start(); // run without the setup of the project
    return new World(RunningGateway.of(ready), ready, await ByteOrigin.start());
  }

  static async start(settings: NodeJS.ProcessEnv = {}): Promise<World> {
    const { gateway, ready } = await startEdges(settings);
    return new World(gateway, ready, await ByteOrigin.start());
  }

  /** A service on the origin with these routes. */
  service(name: string, routes: readonly object[], over: object = {}): object {
    const to = { protocol: 'http', host: '127.0.0.1', port: this.origin.port, retries: 0 };
    return { name, ...to, routes, ...over };
  }

  /** Replaces the configuration; throws with the answer's text when it is refused. */
  async load(document: object): Promise<void> {
    const answer = await this.admin('/config', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ _format_version: '3.0', ...document }),
    });
    if (answer.status !== 201) throw new Error(`POST /config: ${answer.status} ${answer.text}`);
  }

  admin(path: string, options: CallOptions = {}): Promise<Answer> {
    return call(this.ready.admin, path, options);
  }

  ask(engine: EngineName, path: string, options: CallOptions = {}): Promise<Answer> {
    return call(this.ready.edges[engine], path, options);
  }

  /** Sends bytes as they are, a character each, and collects what comes back until the edge closes. */
  send(engine: EngineName, bytes: string): Promise<string> {
    return sendBytes(this.ready.edges[engine], bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway[Symbol.asyncDispose]();
    await this.origin[Symbol.asyncDispose]();
  }
}

/** Resolves when the other side has closed; `until` ends it sooner, when the bytes so far satisfy it. */
export const sendBytes = (
  origin: string,
  bytes: string,
  until: (text: string) => boolean = () => false,
): Promise<string> =>
  new Promise((resolve) => {
    const { hostname: host, port } = new URL(origin);
    let text = '';
    const socket = connect({ host, port: Number(port) }, () => socket.write(bytes, 'latin1'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (until(text)) socket.destroy();
    });
    socket.on('error', () => undefined); // a reset says as much as a close
    socket.once('close', () => resolve(text));
  });

/** Statuses of the answers in what came back. */
export const statusesOf = (text: string): number[] =>
  [...text.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map(([, status]) => Number(status));

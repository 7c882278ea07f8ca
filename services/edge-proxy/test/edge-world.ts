import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendCommit, type Position, provisionLog, startOf } from '@sluice/config-log';
import type { ConfigOp } from '@sluice/contracts';
import { ConfigState, diffStates, type PluginEntity, type Route, type Service } from '@sluice/gateway-config';
import { Bus, JetStream, type Logger } from '@sluice/service-kit';
import {
  type Answer,
  type CallOptions,
  call as callOrigin,
  eventually,
  type ServerProcess,
  silentLogger,
  startNats,
} from '@sluice/testkit';
import { afterAll, beforeAll } from 'vitest';
import { type Edge, startEdge } from '../src/edge.ts';
import { Settings } from '../src/settings.ts';

export type { Answer } from '@sluice/testkit';

export const stored = { created_at: 0, updated_at: 0, tags: null };
export const idOf = (name: string): string => {
  const hex = Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
};

export const service = (name: string, url: string, over: Partial<Service> = {}): Service => {
  const { hostname, port, pathname, protocol } = new URL(url);
  return {
    ...stored,
    id: idOf(name),
    name,
    protocol: protocol === 'https:' ? 'https' : 'http',
    host: hostname,
    port: Number(port || 80),
    path: pathname === '/' ? null : pathname,
    retries: 0,
    connect_timeout: 2000,
    write_timeout: 5000,
    read_timeout: 5000,
    client_certificate: null,
    tls_verify: null,
    tls_verify_depth: null,
    ca_certificates: null,
    enabled: true,
    ...over,
  };
};

export const route = (name: string, to: Service | null, over: Partial<Route> = {}): Route => ({
  ...stored,
  id: idOf(name),
  name,
  service: to === null ? null : { id: to.id },
  protocols: ['http', 'https'],
  methods: null,
  hosts: null,
  paths: ['/'],
  headers: null,
  snis: null,
  strip_path: false,
  preserve_host: false,
  https_redirect_status_code: 426,
  regex_priority: 0,
  path_handling: 'v0',
  request_buffering: true,
  response_buffering: true,
  ...over,
});

export const plugin = (
  name: string,
  config: Record<string, unknown>,
  over: Partial<PluginEntity> = {},
): PluginEntity => ({
  ...stored,
  id: idOf(`${name}${over.route?.id ?? ''}${over.consumer?.id ?? ''}`.slice(-16)),
  name,
  instance_name: null,
  config,
  route: null,
  service: null,
  consumer: null,
  protocols: ['http', 'https'],
  enabled: true,
  ...over,
});

export type Entities = Parameters<typeof ConfigState.fromEntities>[0];

type EngineName = Settings['FORWARD_ENGINE'];
export const ENGINES: readonly EngineName[] = ['undici', 'http-proxy-3'];

/** What edges forward with unless a test says; set it to run any test by the other one. */
let engine = process.env.FORWARD_ENGINE;

/** In a `describe` for one engine: its edges forward with that one. */
export const forwardBy = (name: EngineName): void => {
  const before = engine;
  beforeAll(() => {
    engine = name;
  });
  afterAll(() => {
    engine = before;
  });
};

// Longer than a busy machine makes an answer wait.
const PATIENT = { AUTH_TIMEOUT_MS: '10000', LIMIT_TIMEOUT_MS: '10000' };
/** For those who look at what an edge does while auth or ratelimit do not answer: what it waits as it ships. */
export const AS_SHIPPED = { AUTH_TIMEOUT_MS: '250', LIMIT_TIMEOUT_MS: '50' };

/** A real edge on a real bus, with a configuration written to a real commit log. */
export class EdgeWorld implements AsyncDisposable {
  readonly nats: ServerProcess;
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly edges: Edge[] = [];
  #state = new ConfigState();
  #position: Position = startOf('');

  private constructor(nats: ServerProcess, bus: Bus) {
    this.nats = nats;
    this.bus = bus;
    this.jetstream = new JetStream(bus);
  }

  static async start(entities: Entities = {}, settings: Record<string, string> = {}): Promise<EdgeWorld> {
    const nats = await startNats();
    const bus = Bus.open({ url: nats.url, name: 'world', logger: silentLogger() });
    await bus.connection;
    const world = new EdgeWorld(nats, bus);
    world.#position = startOf(await provisionLog(world.jetstream));
    if (Object.keys(entities).length > 0) await world.commit(entities);
    await world.addEdge(settings);
    return world;
  }

  /** Where the log stands. */
  get position(): Position {
    return this.#position;
  }

  /** The first edge's proxy port. */
  get port(): number {
    const [edge] = this.edges;
    if (edge === undefined) throw new Error('no edge was started');
    return edge.ports.proxy;
  }

  async addEdge(settings: Record<string, string> = {}, logger: Logger = silentLogger()): Promise<Edge> {
    const edge = await startEdge({
      settings: Settings.parse({
        NATS_URL: this.nats.url,
        STATUS_PORT: '0',
        PROXY_PORT: '0',
        PROXY_HOST: '127.0.0.1',
        DATA_DIR: mkdtempSync(join(tmpdir(), 'sluice-edge-')),
        DRAIN_TIMEOUT_MS: '2000',
        ...PATIENT,
        OVERLOAD_LAG_MS: '0', // clients and upstreams are on the same event loop here
        ...(engine === undefined ? {} : { FORWARD_ENGINE: engine }),
        ...settings,
      }),
      instance: `edge-${this.edges.length}`,
      logger,
      telemetry: { enabled: false, rootShare: 0, shutdown: async () => undefined },
      environment: settings,
    });
    this.edges.push(edge);
    await edge.ready;
    return edge;
  }

  /** Replaces the configuration and waits until every edge stands on it. */
  async commit(entities: Entities): Promise<void> {
    await this.append(diffStates(this.#state, ConfigState.fromEntities(entities)));
    await this.settled();
  }

  async append(ops: readonly ConfigOp[]): Promise<void> {
    const { jetstream } = this;
    const appended = await appendCommit({
      jetstream,
      base: this.#position,
      state: this.#state,
      ops,
      actor: 'test',
    });
    if (appended.outcome !== 'committed') throw new Error('somebody else wrote to the log');
    this.#state.apply(ops);
    const { epoch, version, digest } = appended.commit;
    this.#position = { epoch, version, digest, seq: appended.seq };
  }

  settled(): Promise<unknown> {
    return eventually(() => this.edges.every((edge) => edge.version() === this.#position.version));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.edges.map((edge) => edge.stop()));
    await this.bus.close();
    await this.nats[Symbol.asyncDispose]();
  }
}

/** A real upstream; by default it answers with what it received. */
export class Upstream implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly received: IncomingMessage[] = [];
  readonly sockets = new Set<Socket>();
  readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  static async start(
    handler: (request: IncomingMessage, response: ServerResponse) => void = echo,
    port = 0,
  ): Promise<Upstream> {
    const server = createServer();
    server.maxHeadersCount = 0;
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    const upstream = new Upstream(server);
    server.on('connection', (socket) => {
      upstream.sockets.add(socket);
      socket.once('close', () => upstream.sockets.delete(socket));
    });
    server.on('request', (incoming, response) => {
      upstream.received.push(incoming);
      handler(incoming, response);
    });
    return upstream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }
}

/** What the echo upstream says about a request. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export const echo = (incoming: IncomingMessage, response: ServerResponse): void => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const { method, url, headers } = incoming;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

/** One request to an edge's port, on a connection of its own. */
export const call = (port: number, path: string, options?: CallOptions): Promise<Answer> =>
  callOrigin(`http://127.0.0.1:${port}`, path, options);

/** Sends bytes as they are and collects what comes back until the other side closes or `until` is seen. */
export const raw = (port: number, bytes: string, until?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (until !== undefined && text.includes(until)) {
        socket.destroy();
        resolve(text);
      }
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });

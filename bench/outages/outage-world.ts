import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { call, eventually, freePort, type ServerProcess, startNats, startRedis } from '@sluice/testkit';
import { AS_SHIPPED, type ProcessName, RunningGateway } from '../../tests/gateway.ts';

const STARTS_WITHIN_MS = 60_000;

type Service = Exclude<ProcessName, 'nats-server' | 'redis-server' | 'edge-proxy'>;

/** A gateway as it is deployed, beside NATS and Redis that can be hurt, with a route for each dependency. */
export class OutageWorld implements AsyncDisposable {
  readonly nats: ServerProcess;
  readonly redis: ServerProcess;
  readonly gateway: RunningGateway;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    { nats, redis, gateway }: Pick<OutageWorld, 'nats' | 'redis' | 'gateway'>,
    stack: AsyncDisposableStack,
  ) {
    this.nats = nats;
    this.redis = redis;
    this.gateway = gateway;
    this.#stack = stack;
  }

  static async start(): Promise<OutageWorld> {
    await using stack = new AsyncDisposableStack();
    const upstream = createServer((_request, response) => response.end('ok'));
    const mute = createTcpServer((socket) => muted.add(socket));
    const muted = new Set<Socket>();
    const portOf = async (server: typeof mute) => {
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      return (server.address() as AddressInfo).port;
    };
    const upstreamPort = await portOf(upstream);
    const mutePort = await portOf(mute);
    stack.defer(() => {
      for (const socket of muted) socket.destroy();
      upstream.closeAllConnections();
      upstream.close();
      mute.close();
    });
    const nats = stack.use(await startNats());
    const redis = stack.use(await startRedis({ durable: true }));
    const args = ['--restart=never', '--nats', nats.url, '--redis', redis.url];
    const gateway = stack.use(await RunningGateway.start(args, AS_SHIPPED));
    const world = new OutageWorld({ nats, redis, gateway }, stack.move());
    await world.#configure(documentFor(upstreamPort, mutePort));
    return world;
  }

  get origin(): string {
    return this.gateway.ready.proxy;
  }

  stop(name: Service): void {
    this.gateway.signal(name, 'SIGSTOP');
  }

  goOn(name: Service): void {
    this.gateway.signal(name, 'SIGCONT');
  }

  kill(name: Service): void {
    this.gateway.signal(name, 'SIGKILL');
  }

  /** Returns when another one in its place says that it can work. */
  async startAnother(name: Service): Promise<void> {
    const port = await freePort();
    const adminPort = new URL(this.gateway.ready.admin).port;
    this.gateway.startService(name, { STATUS_PORT: `${port}`, ADMIN_PORT: adminPort });
    await ready(port);
  }

  /** Starts an edge with a folder of its own: the second one begins with what the first one served. */
  async startEdge(): Promise<{ origin: string; statusPort: number; end: () => Promise<void> }> {
    const [port, statusPort] = [await freePort(), await freePort()];
    const before = new Set(this.gateway.edgePids);
    this.gateway.startService('edge-proxy', {
      ...{ PROXY_HOST: '127.0.0.1', PROXY_PORT: `${port}`, STATUS_PORT: `${statusPort}` },
      DATA_DIR: join(this.gateway.dataDir, 'edge-alone'),
    });
    const end = async () => {
      for (const pid of this.gateway.edgePids) if (!before.has(pid)) tryEnd(pid);
      await eventually(async () => {
        await call(`http://127.0.0.1:${statusPort}`, '/livez').then(
          () => Promise.reject(new Error('still there')),
          () => undefined,
        );
      }, STARTS_WITHIN_MS);
    };
    return { origin: `http://127.0.0.1:${port}`, statusPort, end };
  }

  async #configure(document: object): Promise<void> {
    const { status, text } = await this.gateway.admin('/config', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(document),
    });
    if (status !== 201) throw new Error(`POST /config: ${status} ${text.slice(0, 500)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const tryEnd = (pid: number): void => {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // it has ended
  }
};

const ready = (port: number) =>
  eventually(
    async () => (await call(`http://127.0.0.1:${port}`, '/readyz')).status === 200,
    STARTS_WITHIN_MS,
  );

const documentFor = (upstreamPort: number, mutePort: number) => {
  const limits = {
    minute: 1_000_000,
    limit_by: 'ip',
    policy: 'redis',
    redis: { host: '127.0.0.1' },
    exact: true,
  };
  const collector = `http://127.0.0.1:${mutePort}/`;
  const on = (route: string, name: string, config: object) => ({ route, name, config });
  return {
    _format_version: '3.0',
    services: [
      {
        name: 'echo',
        url: `http://127.0.0.1:${upstreamPort}`,
        routes: ['plain', 'auth', 'limit', 'strict', 'traced'].map((name) => ({ name, paths: [`/${name}`] })),
      },
      {
        ...{ name: 'mute', url: `http://127.0.0.1:${mutePort}`, retries: 0, read_timeout: 2000 },
        routes: [{ name: 'mute', paths: ['/mute'] }],
      },
    ],
    plugins: [
      on('auth', 'key-auth', {}),
      on('limit', 'rate-limiting', { ...limits, fault_tolerant: true }),
      on('strict', 'rate-limiting', { ...limits, fault_tolerant: false }),
      on('traced', 'opentelemetry', { endpoint: collector, sampling_rate: 1 }),
      on('traced', 'http-log', { http_endpoint: collector }),
    ],
  };
};

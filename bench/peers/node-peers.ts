/** One peer in this process: `node node-peers.ts <name> <port> <upstream port> <folder of npm packages>`. */
import { Agent, createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createProxyServer } from 'http-proxy-3';

const [name = '', port = '', upstreamPort = '', packages = ''] = process.argv.slice(2);
const upstream = `http://127.0.0.1:${upstreamPort}`;

/** node:http, http-proxy-3 with a keep-alive agent, and nothing else. */
const serveBare = async (): Promise<void> => {
  const proxy = createProxyServer({ target: upstream, agent: new Agent({ keepAlive: true }) });
  proxy.on('error', (_error, _request, response) => response.destroy());
  createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
};

interface FastifyApp {
  register(plugin: unknown, options: object): Promise<unknown>;
  listen(options: object): Promise<string>;
}
interface Restana {
  start(port: number, host: string): Promise<unknown>;
}

const load = (specifier: string): unknown => createRequire(join(packages, 'package.json'))(specifier);

const serveFastify = async (): Promise<void> => {
  const fastify = load('fastify') as (options: object) => FastifyApp;
  const app = fastify({ logger: false });
  await app.register(load('@fastify/http-proxy'), { upstream });
  await app.listen({ port: Number(port), host: '127.0.0.1' });
};

const serveFastGateway = async (): Promise<void> => {
  const gateway = load('fast-gateway') as (options: object) => Restana;
  await gateway({ routes: [{ prefix: '', target: upstream }] }).start(Number(port), '127.0.0.1');
};

const PEERS: Readonly<Record<string, () => Promise<void>>> = {
  'http-proxy-3': serveBare,
  '@fastify/http-proxy': serveFastify,
  'fast-gateway': serveFastGateway,
};
await PEERS[name]?.();

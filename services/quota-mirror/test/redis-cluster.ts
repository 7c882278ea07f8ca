import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, ServerProcess } from '@sluice/testkit';
import { Redis } from 'ioredis';

const HOST = '127.0.0.1';
const SLOTS = 16_384;
const NODES = 3;
const READY = ['cluster_state:ok', `cluster_known_nodes:${NODES}`];

const nodeAt = async (): Promise<ServerProcess & { readonly busPort: number }> => {
  const [port, busPort] = [await freePort(), await freePort()];
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-cluster-'));
  const args = [
    ...['--port', `${port}`, '--bind', HOST, '--dir', dataDir, '--save', ''],
    ...['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`],
  ];
  const server = new ServerProcess('redis-server', args, { port, url: `redis://${HOST}:${port}`, dataDir });
  await server.start();
  return Object.assign(server, { busPort });
};

/** Three primaries that share the slots, without replicas. */
export const startRedisCluster = async () => {
  const servers = await Promise.all(Array.from({ length: NODES }, nodeAt));
  const nodes = servers.map(({ url }) => new Redis(url));
  const ask = async (i: number, ...args: (string | number)[]) =>
    nodes[i]?.call('CLUSTER', ...args.map(String));
  for (let i = 0; i < NODES; i++) {
    const [from, to] = [i, i + 1].map((share) => Math.ceil((share * SLOTS) / NODES));
    await ask(i, 'ADDSLOTSRANGE', from ?? 0, (to ?? 0) - 1);
    await ask(i, 'SET-CONFIG-EPOCH', i + 1);
  }
  for (const { port, busPort } of servers.slice(1)) await ask(0, 'MEET', HOST, port, busPort);
  await eventually(async () => {
    const infos = await Promise.all(nodes.map((_, i) => ask(i, 'INFO')));
    return infos.every((info) => READY.every((line) => `${info}`.includes(line)));
  });
  return {
    url: `redis+cluster://${servers.map(({ port }) => `${HOST}:${port}`).join(',')}`,
    /** One client for each node, which knows of no other. */
    nodes,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) node.disconnect();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
};

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, ServerProcess } from '@sluice/testkit';
import { Redis } from 'ioredis';

const folder = (name: string): string => mkdtempSync(join(tmpdir(), `sluice-${name}-`));
const HOST = '127.0.0.1';
/** Sentinels and nodes take each other for gone after this, in ms. Production's are in deploy/. */
const GONE_AFTER_MS = 500;

/** Several servers that are one; all are gone after `await using`. */
export class Cluster implements AsyncDisposable {
  /** As a service is told of it. */
  readonly url: string;
  readonly servers: readonly ServerProcess[];

  constructor(url: string, servers: readonly ServerProcess[]) {
    this.url = url;
    this.servers = servers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

/** Three nats-servers with JetStream. */
export const startNatsCluster = async (): Promise<Cluster> => {
  const [ports, routes] = [await freePorts(3), await freePorts(3)];
  const servers = ports.map((port, i) => {
    const dataDir = folder('nats');
    const args = [
      ...['-n', `n${i}`, '-a', HOST, '-p', `${port}`, '-js', '-sd', dataDir],
      ...['--cluster_name', 'test', '--cluster', `nats://${HOST}:${routes[i]}`],
      ...['--routes', routes.map((route) => `nats://${HOST}:${route}`).join(',')],
    ];
    return new ServerProcess('nats-server', args, { port, url: `nats://${HOST}:${port}`, dataDir });
  });
  await Promise.all(servers.map((server) => server.start()));
  return new Cluster(servers.map(({ url }) => url).join(','), servers);
};

const redisAt = (port: number, more: readonly string[]): ServerProcess => {
  const dataDir = folder('redis');
  const args = [
    ...['--port', `${port}`, '--bind', HOST, '--dir', dataDir, '--save', '', '--appendonly', 'yes'],
    ...['--appendfsync', 'everysec', '--repl-diskless-sync-delay', '0', ...more],
  ];
  return new ServerProcess('redis-server', args, { port, url: `redis://${HOST}:${port}`, dataDir });
};

/** A primary, a replica (the first two servers) and three sentinels. */
export const startSentinels = async (): Promise<Cluster> => {
  const [primary = 0, replica = 0, ...sentinelPorts] = await freePorts(5);
  const stores = [redisAt(primary, []), redisAt(replica, ['--replicaof', HOST, `${primary}`])];
  for (const store of stores) await store.start();
  const sentinels = sentinelPorts.map((port) => {
    const dataDir = folder('sentinel');
    const file = join(dataDir, 'sentinel.conf');
    writeFileSync(
      file,
      `port ${port}\nbind ${HOST}\ndir ${dataDir}\nsentinel monitor main ${HOST} ${primary} 2\n` +
        `sentinel down-after-milliseconds main ${GONE_AFTER_MS}\nsentinel failover-timeout main 3000\n`,
    );
    return new ServerProcess('redis-server', [file, '--sentinel'], {
      ...{ port, dataDir },
      url: `redis://${HOST}:${port}`,
    });
  });
  await Promise.all(sentinels.map((sentinel) => sentinel.start()));
  await asked(sentinelPorts[0] ?? 0, async (redis) => {
    const [, ...found] = (await redis.call('SENTINEL', 'sentinels', 'main')) as unknown[][];
    const replicas = (await redis.call('SENTINEL', 'replicas', 'main')) as unknown[][];
    return found.length === 1 && replicas.length === 1;
  });
  await asked(replica, async (redis) => (await redis.info('replication')).includes('master_link_status:up'));
  const hosts = sentinelPorts.map((port) => `${HOST}:${port}`).join(',');
  return new Cluster(`redis+sentinel://${hosts}/main`, [...stores, ...sentinels]);
};

/** Three primaries (the first servers) and a replica for each. */
export const startRedisCluster = async (): Promise<Cluster> => {
  const [ports, busPorts] = [await freePorts(6), await freePorts(6)];
  const servers = ports.map((port, i) =>
    redisAt(port, [
      ...['--cluster-enabled', 'yes', '--cluster-port', `${busPorts[i]}`],
      ...['--cluster-node-timeout', `${GONE_AFTER_MS}`, '--cluster-replica-validity-factor', '0'],
    ]),
  );
  await Promise.all(servers.map((server) => server.start()));
  const nodes = ports.map((port) => new Redis(port, HOST));
  const call = async (i: number, ...args: (string | number)[]): Promise<unknown> =>
    nodes[i]?.call('CLUSTER', ...args.map(String));
  for (let i = 0; i < 3; i++)
    await call(i, 'ADDSLOTSRANGE', Math.ceil((i * 16_384) / 3), Math.ceil(((i + 1) * 16_384) / 3) - 1);
  for (let i = 0; i < 6; i++) await call(i, 'SET-CONFIG-EPOCH', i + 1);
  for (let i = 1; i < 6; i++) await call(0, 'MEET', HOST, ports[i] ?? 0, busPorts[i] ?? 0);
  const ids = await Promise.all(nodes.map((_, i) => call(i, 'MYID')));
  for (let i = 3; i < 6; i++)
    await eventually(async () => (await call(i, 'REPLICATE', `${ids[i - 3]}`)) === 'OK');
  await eventually(async () => {
    const infos = await Promise.all(nodes.map((_, i) => call(i, 'INFO')));
    const roles = await Promise.all(nodes.slice(3).map((node) => node.info('replication')));
    return (
      infos.every((info) => `${info}`.includes('cluster_state:ok')) &&
      roles.every((role) => role.includes('master_link_status:up'))
    );
  });
  for (const node of nodes) node.disconnect();
  return new Cluster(`redis+cluster://${ports.map((port) => `${HOST}:${port}`).join(',')}`, servers);
};

const freePorts = async (count: number): Promise<number[]> => {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
};

const asked = async (port: number, isSo: (redis: Redis) => Promise<boolean>): Promise<void> => {
  const redis = new Redis(port, HOST);
  await eventually(() => isSo(redis), 30_000);
  redis.disconnect();
};

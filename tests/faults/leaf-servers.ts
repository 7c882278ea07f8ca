import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUS_USERS, LEAF_USER } from '@sluice/contracts';
import { FaultProxy, freePort, ServerProcess } from '@sluice/testkit';
import { Cluster } from './edge-servers.ts';

const NATS = join(import.meta.dirname, '../../deploy/nats');
const HOST = '127.0.0.1';

/** A hub of so many servers, a leaf node attached to it, and what a test does to the way between them. */
export interface HubAndLeaf extends AsyncDisposable {
  /** As the operator logs in at the hub. */
  readonly hub: Cluster;
  /** As an edge logs in at the leaf. */
  readonly leafUrl: string;
  /** Nothing passes between leaf and hub, until `mend`. */
  readonly cut: () => void;
  readonly mend: () => void;
}

/** The password of a user is its name: the files are what is tested. */
const withPasswords = (text: string): string =>
  text.replaceAll(/\$NATS_(\w+)_PASSWORD/g, (_, name: string) =>
    JSON.stringify(
      [...BUS_USERS, LEAF_USER].find((user) => user.toUpperCase().replaceAll('-', '_') === name),
    ),
  );

/** deploy/'s file with its users, for loopback: other ports, another folder. */
const startFrom = (
  file: string,
  servers: number,
  port: number,
  values: Readonly<Record<string, string>>,
): Promise<ServerProcess> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-leaf-'));
  const store = join(dataDir, 'data');
  mkdirSync(store);
  const ours = { ...values, '"0.0.0.0:4222"': `"${HOST}:${port}"`, '"/data"': JSON.stringify(store) };
  const replaced = Object.entries(ours)
    .reduce((text, [from, to]) => text.replace(from, to), readFileSync(join(NATS, file), 'utf8'))
    .replace(/^http:.*$/m, '')
    .replace(servers === 1 ? /^cluster \{[^}]*\}$/m : '', '');
  for (const [, users = ''] of replaced.matchAll(/^include "(.*)"$/gm))
    writeFileSync(join(dataDir, users), withPasswords(readFileSync(join(NATS, users), 'utf8')), {
      mode: 0o600,
    });
  const config = join(dataDir, file);
  writeFileSync(config, replaced, { mode: 0o600 });
  const url = `nats://operator:operator@${HOST}:${port}`;
  return new ServerProcess('nats-server', ['-c', config], { port, url, dataDir }).start();
};

const freePorts = (count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => freePort()));

/** `servers`: 3 as deploy/nats/cluster.conf has it, or 1, which is at hand at once. */
export const startHubAndLeaf = async (servers: 1 | 3): Promise<HubAndLeaf> => {
  await using stack = new AsyncDisposableStack();
  const [ports, routes, leaves] = [
    await freePorts(servers),
    await freePorts(servers),
    await freePorts(servers),
  ];
  const links = await Promise.all(leaves.map((port) => FaultProxy.start(port)));
  for (const link of links) stack.use(link);
  const started = ports.map((port, i) =>
    startFrom('cluster.conf', servers, port, {
      $NATS_NAME: `n${i}`,
      $NATS_ROUTES: JSON.stringify(routes.map((route) => `nats://${HOST}:${route}`)),
      $NATS_LEAF_ADVERTISE: `"${HOST}:${links[i]?.port}"`,
      '"0.0.0.0:6222"': `"${HOST}:${routes[i]}"`,
      '"0.0.0.0:7422"': `"${HOST}:${leaves[i]}"`,
    }),
  );
  const running = await Promise.all(started);
  const hub = stack.use(new Cluster(running.map(({ url }) => url).join(','), running));
  const leafPort = await freePort();
  stack.use(
    await startFrom('leaf.conf', 1, leafPort, {
      $NATS_NAME: 'leaf-1',
      $NATS_HUB_URLS: JSON.stringify(links.map(({ port }) => `nats-leaf://leaf:leaf@${HOST}:${port}`)),
    }),
  );
  const kept = stack.move();
  return {
    ...{ hub, leafUrl: `nats://edge-proxy:edge-proxy@${HOST}:${leafPort}` },
    cut: () => {
      for (const link of links) link.inject({ kind: 'refuse' });
      for (const link of links) link.reset();
    },
    mend: () => {
      for (const link of links) link.heal();
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
};

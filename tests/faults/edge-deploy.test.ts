import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, ServerProcess } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';

const DEPLOY = join(import.meta.dirname, '../../deploy');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-deploy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each(['cluster.conf', 'leaf.conf'])('nats-server takes %s with its users', (name) => {
  const path = [process.env.PATH, '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'].join(delimiter);
  const textOf = (file: string) => readFileSync(join(DEPLOY, 'nats', file), 'utf8');
  for (const users of ['hub-users.conf', 'leaf-users.conf'])
    writeFileSync(join(folder, users), textOf(users).replaceAll(/\$NATS_\w+_PASSWORD/g, '"secret"'));
  const file = join(folder, name);
  writeFileSync(file, textOf(name).replace('/data', folder));
  const env = {
    ...{ ...process.env, PATH: path, NATS_NAME: 'n1', NATS_ROUTES: '[nats://127.0.0.1:6222]' },
    ...{ NATS_LEAF_ADVERTISE: 'nats-1:7422', NATS_HUB_URLS: '["nats-leaf://leaf:secret@nats-1:7422"]' },
  };
  const run = () => execFileSync('nats-server', ['-t', '-c', file], { env, stdio: 'pipe' });
  run();
  writeFileSync(file, `${textOf(name)}\nno_such_field: 1\n`);
  expect(run).toThrow();
});

/** The file as it stands, with what only a container has replaced. */
const ownCopy = (name: string): string => {
  const text = readFileSync(join(DEPLOY, 'redis', name), 'utf8')
    .replaceAll('/data', folder)
    .replaceAll('/etc/redis', folder)
    .replaceAll('redis-1', '127.0.0.1');
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test.each([
  ['primary.conf', [], 'role:master'],
  ['replica.conf', [], 'role:slave'],
  ['sentinel.conf', ['--sentinel'], 'sentinel_masters:1'],
  ['cluster.conf', ['--cluster-port'], 'cluster_enabled:1'],
])('redis-server takes %s', async (name, more, says) => {
  ownCopy('primary.conf');
  const [port, busPort] = [await freePort(), await freePort()];
  const options = more.length > 0 && name === 'cluster.conf' ? [...more, `${busPort}`] : more;
  await using server = new ServerProcess('redis-server', [ownCopy(name), '--port', `${port}`, ...options], {
    ...{ port, dataDir: folder },
    url: `redis://127.0.0.1:${port}`,
  });
  await server.start();
  const redis = new Redis(server.url);
  try {
    expect(await redis.info()).toContain(says);
  } finally {
    redis.disconnect();
  }
});

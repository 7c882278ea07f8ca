/**
 * Runs a service's bundle once, so that it is compiled when its image starts: `node tools/warm-bundle.ts FOLDER`.
 * It needs no servers.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 30_000;
/** What comes after the status port is compiled, too. */
const SETTLE_MS = 200;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const untilAlive = async (url: string, signal: AbortSignal): Promise<void> => {
  while (
    !signal.aborted &&
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await sleep(20);
};

/**
 * Fills the folder `compile-cache` of a bundle with what V8 makes of it; a process reads it by NODE_COMPILE_CACHE. The
 * whole may be moved afterwards. Another version of Node or another kind of CPU compiles anew, and is only slower.
 * @throws Error when the process does not come up or does not end well.
 */
export const warmBundle = async (folder: string): Promise<void> => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-warm-'));
  const [status, proxy, admin] = [await freePort(), await freePort(), await freePort()];
  const child = spawn(process.execPath, ['main.js'], {
    cwd: folder,
    env: {
      ...{ NODE_COMPILE_CACHE: join(folder, 'compile-cache'), NODE_COMPILE_CACHE_PORTABLE: '1' },
      ...{
        NATS_URL: 'nats://127.0.0.1:9',
        REDIS_URL: 'redis://127.0.0.1:9',
        LOG_LEVEL: 'fatal',
        DATA_DIR: data,
      },
      ...{
        STATUS_PORT: `${status}`,
        PROXY_PORT: `${proxy}`,
        ADMIN_PORT: `${admin}`,
        DRAIN_TIMEOUT_MS: '100',
      },
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const signal = AbortSignal.timeout(WITHIN_MS);
  await Promise.race([untilAlive(`http://127.0.0.1:${status}/livez`, signal), exited]);
  await sleep(SETTLE_MS);
  child.kill('SIGTERM');
  const [code] = await exited;
  await rm(data, { recursive: true, force: true });
  if (code !== 0) throw new Error(`${folder} ended with ${code}`);
};

if (import.meta.main) await warmBundle(resolve(process.argv[2] ?? 'dist'));

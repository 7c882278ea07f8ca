import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { call } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT, readDockerfile } from './dockerfile.ts';
import { canSeal, frozen } from './sealed-root.ts';

let folder: string;
const image = readDockerfile('Dockerfile');

/** /app and /data as the image has them; the bundles that `npm test` made, or fresh ones. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-container-'));
  chmodSync(folder, 0o755);
  const app = join(folder, 'app');
  mkdirSync(app);
  const { SLUICE_PROCESSES: bundles } = process.env;
  const fresh = join(folder, '0000000000000000');
  if (!bundles) spawnSync(process.execPath, [join(ROOT, 'tools', 'bundle-processes.ts'), fresh]);
  cpSync(bundles || fresh, join(app, 'processes'), { recursive: true });
  for (const { from, to } of image.copies)
    for (const name of from)
      cpSync(join(ROOT, name), to.endsWith('/') && to !== './' ? join(app, to) : join(app, name), {
        recursive: true,
      });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (text: string): string => text.replace(/^\/(?=app|data)/, `${folder}/`);
/** The user `node` of the image. */
const USER = 1000;

/** The container's process as its image starts it; where this machine allows it, /data is all it may write to. */
const startContainer = (env: Readonly<Record<string, string>>, args: readonly string[]) => {
  const own = Object.fromEntries(Object.entries(image.env).map(([name, value]) => [name, inFolder(value)]));
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const command = [process.execPath, ...image.args.map(inFolder), ...args];
  const isSealed = canSeal();
  if (isSealed) chownSync(data, USER, USER);
  const [program, words] = isSealed ? frozen(data, USER, command) : [process.execPath, command.slice(1)];
  const child = spawn(program, words, {
    cwd: join(folder, 'app'),
    env: { PATH: process.env.PATH, ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, exited: once(child, 'exit') };
};

interface Event {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** All that it said until it was ready. */
const untilReady = (child: ChildProcessByStdio<null, Readable, Readable>): Promise<Event[]> =>
  new Promise((resolve, reject) => {
    const said: Event[] = [];
    const wrong: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => wrong.push(chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(JSON.parse(line) as Event);
      if (said.at(-1)?.event === 'ready') resolve(said);
    });
    child.once('exit', () => reject(new Error(`ended: ${wrong.join('')} ${JSON.stringify(said)}`)));
  });

const PORTS = ['--json', '--proxy-port', '0', '--admin-port', '0'];

test('given the whole gateway in one container, when started with the original’s environment, then it serves, guards its Admin API, and ends with 0', async () => {
  const { child, exited } = startContainer(
    {
      LOGTO_ISSUER: 'http://127.0.0.1:9/oidc',
      KONG_DATABASE: 'postgres',
      KONG_PG_HOST: 'db',
      KONG_LOG_LEVEL: 'debug',
    },
    PORTS,
  );
  try {
    const said = await untilReady(child);
    const ready = said.at(-1) as unknown as { proxy: string; admin: string };
    expect(said.filter(({ text }) => `${text}`.includes('not read'))).toEqual([
      {
        event: 'note',
        text: expect.stringMatching(/^not read: KONG_DATABASE, KONG_PG_HOST\. There is no database: /),
      },
    ]);
    expect((await call(ready.admin, '/status')).status).toBe(401);
    expect((await call(ready.admin, '/console')).status).toBe(200);
    const token = readFileSync(join(folder, 'data', 'admin-token'), 'utf8');
    const routes = await call(ready.admin, '/routes', { headers: { authorization: `Bearer ${token}` } });
    expect(routes.json<{ data: unknown[] }>().data).toHaveLength(15);
    expect(await call(ready.proxy, '/v1/workflows')).toMatchObject({
      status: 401,
      text: '{"message":"Unauthorized"}',
    });
    const log = readFileSync(join(folder, 'data', 'logs', 'config-registry.log'), 'utf8');
    expect(log).toContain('"level":"debug"'); // KONG_LOG_LEVEL has reached the services
    expect(log).not.toContain('not read'); // it was said once
  } finally {
    child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
});

test('given nothing but the two lines of the original’s README, when started, then it is healthy and serves', async () => {
  const { child, exited } = startContainer({}, PORTS);
  const health = () =>
    spawnSync(process.execPath, image.health.map(inFolder), { cwd: join(folder, 'app') }).status;
  try {
    const { proxy } = (await untilReady(child)).at(-1) as unknown as { proxy: string };
    expect((await call(proxy, '/v1/workflows')).status).toBe(401);
    expect((await call(proxy, '/nowhere')).status).toBe(404);
    expect(health()).toBe(0);
  } finally {
    child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
  expect(health()).not.toBe(0);
});

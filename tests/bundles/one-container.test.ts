import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { call } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT, readDockerfile } from './dockerfile.ts';

let folder: string;
const image = readDockerfile('Dockerfile');

/** /app and /data as the image has them; the bundles that `npm test` made, or fresh ones. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-container-'));
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

test('given the whole gateway in one container, when started with the original’s environment, then it serves, guards its Admin API, and ends with 0', async () => {
  const env = Object.fromEntries(Object.entries(image.env).map(([name, value]) => [name, inFolder(value)]));
  const ports = ['--json', '--proxy-port', '0', '--admin-port', '0'];
  const child = spawn(process.execPath, [...image.args.map(inFolder), ...ports], {
    cwd: join(folder, 'app'),
    env: {
      PATH: process.env.PATH,
      ...env,
      ...{
        LOGTO_ISSUER: 'http://127.0.0.1:9/oidc',
        KONG_DATABASE: 'postgres',
        KONG_PG_HOST: 'db',
        KONG_LOG_LEVEL: 'notice',
      },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const said: Record<string, unknown>[] = [];
  const ready = await new Promise<{ proxy: string; admin: string }>((resolve, reject) => {
    const wrong: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => wrong.push(chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Record<string, unknown>;
      said.push(event);
      if (event.event === 'ready') resolve(event as unknown as { proxy: string; admin: string });
    });
    child.once('exit', () => reject(new Error(`ended: ${wrong.join('')} ${JSON.stringify(said)}`)));
  });
  try {
    expect(said).toContainEqual({
      event: 'note',
      text: expect.stringMatching(/^not read: KONG_DATABASE, KONG_PG_HOST\. There is no database: /),
    });
    expect((await call(ready.admin, '/status')).status).toBe(401);
    expect((await call(ready.admin, '/console')).status).toBe(200);
    const token = readFileSync(join(folder, 'data', 'admin-token'), 'utf8');
    const routes = await call(ready.admin, '/routes', { headers: { authorization: `Bearer ${token}` } });
    expect(routes.json<{ data: unknown[] }>().data).toHaveLength(15);
    expect(await call(ready.proxy, '/v1/workflows')).toMatchObject({
      status: 401,
      text: '{"message":"Unauthorized"}',
    });
  } finally {
    child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
});

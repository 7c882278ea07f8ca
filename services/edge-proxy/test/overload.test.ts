import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { edgeDecision } from '@sluice/contracts';
import { call as ask, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

// Beside the packages: under the test runner a plugin's imports are resolved as everybody's.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(import.meta.dirname, 'plugins-'));
  // It holds the event loop up, as too many requests do: by CPU time, for only that is held against requests.
  writeFileSync(
    join(folder, 'burner.ts'),
    `import { z } from 'zod';
     import { definePlugin } from '@sluice/plugins';
     export const plugin = definePlugin({ name: 'burner', priority: 5, summary: 's', config: z.strictObject({}),
       access: () => {
         const spent = () => { const { user, system } = process.cpuUsage(); return user + system; };
         const begun = spent();
         while (spent() - begun < 10_000);
         return undefined;
       } });`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const burningWorld = (upstream: Upstream, settings: Record<string, string> = {}) => {
  const up = service('up', upstream.url);
  return EdgeWorld.start(
    { services: [up], routes: [route('all', up)], plugins: [plugin('burner', {})] },
    { PLUGINS_DIR: folder, OVERLOAD_LAG_MS: '5', ...settings },
  );
};

/** A machine that others use, too, gives the loop its turns late; the gate counts CPU time alone. */
const SLOWLY_MS = 180_000;

interface Told {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * Clients of a process of their own: however late the loop of the edge is, they go on asking. Each request alone makes
 * it twice as late as it may be.
 */
const startFlood = (port: number, method: string, wanted: number) => {
  const clients = spawn(
    process.execPath,
    [join(import.meta.dirname, 'flood.ts'), `${port}`, method, `${wanted}`],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = once(clients, 'exit');
  const first = once(createInterface(clients.stdout), 'line');
  return {
    /** The first answer of the wanted status. */
    answer: async (): Promise<Told> => JSON.parse(`${(await first)[0]}`),
    [Symbol.asyncDispose]: async () => {
      clients.stdin.end();
      await exited;
    },
  };
};

const statusOf = async (port: number, path: string): Promise<string> =>
  (await ask(`http://127.0.0.1:${port}`, path)).text;

test(
  'given more than the loop can do, then some get 503 with Retry-After, the status port says why, and it ends by itself',
  async () => {
    await using upstream = await Upstream.start();
    await using world = await burningWorld(upstream);
    const status = world.edges[0]?.ports.status ?? 0;
    const refused = await (async () => {
      await using flood = startFlood(world.port, 'GET', 503);
      const isSaid = async () =>
        (await statusOf(status, '/readyz')).includes('"overload":"requests are refused');
      await eventually(isSaid, SLOWLY_MS);
      return await flood.answer();
    })();
    expect(JSON.parse(refused.body)).toEqual({
      message: 'The gateway is overloaded; retry in a moment',
      code: 'overloaded',
    });
    expect(refused.headers['retry-after']).toMatch(/^[1-3]$/);
    expect(refused.headers['x-kong-request-id']).toMatch(/^[0-9a-f]{32}$/);
    const metrics = await eventually(async () => {
      const text = await statusOf(status, '/metrics');
      return /sluice_overload_shed_total [1-9]/.test(text) && text;
    });
    expect(metrics).toMatch(/sluice_errors_total\{code="GW_OVERLOADED"\} [1-9]/);
    await eventually(
      async () => expect(await statusOf(status, '/readyz')).not.toContain('"overload"'),
      SLOWLY_MS,
    );
    expect((await call(world.port, '/')).status).toBe(200);
    const id = `${refused.headers['x-kong-request-id']}`;
    const [told] = await world.bus.scatter(edgeDecision, { id, limit: 1 }, 1);
    expect(told?.records[0]).toMatchObject({
      ...{ requestId: id, status: 503, outcome: 'refused' },
      refusal: { code: 'GW_OVERLOADED', facts: { event_loop_lag_ms: expect.any(Number) } },
    });
  },
  SLOWLY_MS,
);

test(
  'given a refused upload, then its connection is closed',
  async () => {
    await using upstream = await Upstream.start();
    await using world = await burningWorld(upstream);
    await using flood = startFlood(world.port, 'POST', 503);
    expect((await flood.answer()).headers.connection).toBe('close');
  },
  SLOWLY_MS,
);

test(
  'given OVERLOAD_LAG_MS 0, then nobody is refused',
  async () => {
    await using upstream = await Upstream.start();
    await using world = await burningWorld(upstream, { OVERLOAD_LAG_MS: '0' });
    await using flood = startFlood(world.port, 'GET', 200);
    await flood.answer();
    // With the gate on, the floods above are refused long before so many have passed.
    await eventually(() => upstream.received.length > 150, SLOWLY_MS);
    const metrics = await statusOf(world.edges[0]?.ports.status ?? 0, '/metrics');
    expect(metrics).not.toMatch(/GW_OVERLOADED|sluice_overload_shed_total [1-9]/);
  },
  SLOWLY_MS,
);

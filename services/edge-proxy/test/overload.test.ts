import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { edgeDecision } from '@sluice/contracts';
import { call as ask, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

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
         const begun = process.cpuUsage();
         while (process.cpuUsage(begun).user < 10_000);
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

/** Clients, upstream and edge share one loop here, so how soon it is late is chance: `SLUICE_FAULTS=long` waits for it. */
const inTheLongForm = test.runIf(process.env.SLUICE_FAULTS === 'long');
/** A machine that others use, too, gives the loop its turns late; the gate counts CPU time alone. */
const SLOWLY_MS = 180_000;
/** Each request alone makes the loop twice as late as it may be. */
const CLIENTS = 16;
/**
 * Keeps that many requests waiting until one is answered as wanted, and `meanwhile`, which is asked from then on, says
 * that it has seen enough.
 */
const floodUntil = async (
  port: number,
  isWanted: (answer: Answer) => boolean,
  options: Parameters<typeof call>[2] = {},
  meanwhile: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<Answer> => {
  let wanted: Answer | undefined;
  let isEnough = false;
  const client = async () => {
    while (!isEnough) {
      const answer = await call(port, '/', options);
      if (!isWanted(answer)) continue;
      wanted = answer;
      isEnough ||= await meanwhile();
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return wanted as unknown as Answer;
};

const statusOf = async (port: number, path: string): Promise<string> =>
  (await ask(`http://127.0.0.1:${port}`, path)).text;

inTheLongForm(
  'given more than the loop can do, then some get 503 with Retry-After, the status port says why, and it ends by itself',
  async () => {
    await using upstream = await Upstream.start();
    await using world = await burningWorld(upstream);
    const status = world.edges[0]?.ports.status ?? 0;
    const isSaid = async () =>
      (await statusOf(status, '/readyz')).includes('"overload":"requests are refused');
    const refused = await floodUntil(world.port, (answer) => answer.status === 503, {}, isSaid);
    expect(refused.json()).toEqual({
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

inTheLongForm(
  'given a refused upload, then its connection is closed and nothing reaches the upstream',
  async () => {
    await using upstream = await Upstream.start();
    await using world = await burningWorld(upstream);
    const options = { method: 'POST', body: 'x'.repeat(1000) };
    const refused = await floodUntil(world.port, ({ status }) => status === 503, options);
    expect(refused.headers.connection).toBe('close');
  },
  SLOWLY_MS,
);

test('given OVERLOAD_LAG_MS 0, then nobody is refused', async () => {
  await using upstream = await Upstream.start();
  await using world = await burningWorld(upstream, { OVERLOAD_LAG_MS: '0' });
  let asked = 0;
  await floodUntil(world.port, ({ status }) => {
    expect(status).toBe(200);
    asked += 1;
    return asked > 100;
  });
});

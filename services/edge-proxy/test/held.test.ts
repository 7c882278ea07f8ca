import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, ENGINES, plugin, route, service, Upstream } from './edge-world.ts';

test.each(ENGINES)(
  'given requests by %s, then what the edge holds within its bounds is told: records, connections, counters of its own',
  async (engine) => {
    await using upstream = await Upstream.start();
    const to = service('up', upstream.url);
    await using world = await EdgeWorld.start(
      {
        services: [to],
        routes: [route('all', to)],
        // Nobody answers: this edge counts alone.
        plugins: [plugin('rate-limiting', { minute: 1000, limit_by: 'ip', fault_tolerant: true })],
      },
      { FORWARD_ENGINE: engine },
    );
    const heldOf = async (what: string): Promise<number> => {
      const { text } = await call(world.edges[0]?.ports.status ?? 0, '/metrics');
      const line = text.split('\n').find((each) => each.startsWith(`${what} `));
      return Number(line?.split(' ').at(-1));
    };
    const records = 'sluice_entries_held{what="decision_records"}';
    const before = await heldOf(records);
    for (let i = 0; i < 3; i++) expect((await call(world.port, '/')).status).toBe(200);
    await eventually(async () => expect(await heldOf(records)).toBe(before + 3));
    expect(await heldOf('sluice_entries_held{what="local_counters"}')).toBe(1);
    expect(await heldOf('sluice_upstream_connections')).toBeGreaterThan(0);
  },
);

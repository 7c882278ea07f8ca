/**
 * How soon one change is in force on every edge: `npm run bench -- propagation`. A gateway with two edges and
 * 10,000 routes; one route is changed again and again, each change as soon as the last is answered. A listener on
 * the bus takes the times: when the registry published the commit, and when the second edge said that it serves it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { configApplied, configCommitted } from '@sluice/contracts';
import { connect } from 'nats';
import { generatedConfig } from './generated-config.ts';
import { percentile, startLoad } from './light-load.ts';
import { rssMb } from './measure/cpu.ts';
import { documentText, longestPause, post, startWorld, type World } from './two-edges.ts';

const ROUTES = 10_000;
const CHANGES = 500;
const WARM_UP = 20;
const LOAD_PER_SECOND = 50; // on each edge
const SETTLE_MS = 3000;

/** Ms from the commit's publication until the last edge serves it, by version. */
const watchBus = async (natsUrl: string, edges: number) => {
  const { host, username: user, password: pass } = new URL(natsUrl);
  const connection = await connect({ servers: host, user, pass });
  const publishedAt = new Map<number, number>();
  const appliedBy = new Map<number, number>();
  const tookMs = new Map<number, number>();
  connection.subscribe(configCommitted.subject, {
    callback: (_error, message) => {
      const { payload } = message.json<{ payload: { version: number } }>();
      publishedAt.set(payload.version, performance.now());
    },
  });
  connection.subscribe(configApplied.subject, {
    callback: (_error, message) => {
      const { process, version } = message.json<{ process: string; version: number }>();
      const published = publishedAt.get(version);
      if (process !== 'edge-proxy' || published === undefined || tookMs.has(version)) return;
      const count = (appliedBy.get(version) ?? 0) + 1;
      appliedBy.set(version, count);
      if (count === edges) tookMs.set(version, performance.now() - published);
    },
  });
  await connection.flush();
  return { tookMs, stop: () => connection.drain() };
};

const changeRoute = async ({ gateway }: World, n: number): Promise<number> => {
  const begun = performance.now();
  const { status, text } = await gateway.admin('/routes/route-7', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tags: [`change-${n}`] }),
  });
  if (status !== 200) throw new Error(`PATCH /routes/route-7: ${status} ${text.slice(0, 500)}`);
  return performance.now() - begun;
};

/** Resident memory of the edges and of the registry, in MB. */
const memory = ({ gateway }: World): string => {
  const { edgePids, ready } = gateway;
  const sizes = (pids: readonly number[]) => pids.map((pid) => Math.round(rssMb(pid))).join('+');
  return `edges ${sizes(edgePids)}, registry ${sizes(ready.pids['config-registry'])}`;
};

const rounded = (values: readonly number[]) => ({
  p50: Number(percentile(values, 0.5).toFixed(1)),
  p99: Number(percentile(values, 0.99).toFixed(1)),
  max: Number(Math.max(...values).toFixed(1)),
});

const upstream = createServer((_request, response) => response.end('ok'));
await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening));
const { port } = upstream.address() as AddressInfo;
const world = await startWorld(port);
{
  await using _running = world.gateway;
  const { document } = generatedConfig(ROUTES, { host: '127.0.0.1', port });
  await post(world, documentText(document, 'json'), 'json');
  await sleep(SETTLE_MS);
  const load = startLoad(world.edges, '/v1/tenants/t0/agents/1', LOAD_PER_SECOND);
  for (let n = 0; n < WARM_UP; n++) await changeRoute(world, n);
  const bus = await watchBus(world.gateway.ready.nats, world.edges.length);
  const since = Date.now();
  const writes: number[] = [];
  const resident = [memory(world)];
  for (let n = 0; n < CHANGES; n++) {
    writes.push(await changeRoute(world, WARM_UP + n));
    if (n === CHANGES / 2 || n === CHANGES - 1) resident.push(memory(world));
  }
  await sleep(SETTLE_MS);
  await load.stop();
  await bus.stop();
  const row = {
    routes: ROUTES,
    changes: CHANGES,
    measured: bus.tookMs.size,
    'published to served on 2 edges ms': rounded([...bus.tookMs.values()]),
    'PATCH to answer ms': rounded(writes),
    'longest edge pause ms': longestPause(world, since),
    'load ms': rounded(load.samples.filter(({ at }) => at >= since).map(({ tookMs }) => tookMs)),
    failed: load.samples.filter(({ status }) => status !== 200).length,
    'resident MB before, half-way, after': resident,
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
}
upstream.close();

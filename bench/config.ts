/**
 * How fast a whole configuration is in force: `npm run bench -- config`. Per size a gateway of its own with two
 * edges under a light load: the generated file is posted to an empty gateway, then again with one route changed.
 * Every figure is of this machine with all processes of the gateway, the load and the upstream on it.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generatedConfig } from './generated-config.ts';
import { ask, percentile, startLoad } from './light-load.ts';
import {
  documentText,
  FORMATS,
  type Format,
  longestPause,
  post,
  startWorld,
  type World,
} from './two-edges.ts';

const SIZES = [100, 1000, 10_000];
const LOAD_PER_SECOND = 50; // on each edge
const SETTLE_MS = 3000; // events derived, files written: the next figure is of the next post
const POLL_MS = 20;
const TAIL_MS = 500; // of load after the answer

/** Ms until the path is served by an edge, from now. */
const untilServed = async (origin: string, path: string): Promise<number> => {
  const begun = performance.now();
  const agent = new Agent({ keepAlive: true });
  while ((await ask(agent, origin, path)).status !== 200) await sleep(POLL_MS);
  agent.destroy();
  return performance.now() - begun;
};

const TICK_MS = 10; // of /proc on Linux

/** CPU time each process of the gateway has used so far, in ms by its name; empty where there is no /proc. */
const cpuOf = ({ gateway }: World): Readonly<Record<string, number>> => {
  const { pids } = gateway.ready;
  const all = { ...pids, 'edge-proxy': gateway.edgePids };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, ofName]) => {
      const stats = ofName.map((pid) => join('/proc', `${pid}`, 'stat')).filter((file) => existsSync(file));
      const ticks = stats.map((file) => readFileSync(file, 'utf8').split(') ')[1]?.split(' ').slice(11, 13));
      return ticks.length === 0
        ? []
        : [[name, ticks.flat().reduce((sum, n) => sum + Number(n) * TICK_MS, 0)]];
    }),
  );
};

/** CPU time of the whole machine so far, in ms; the time a hypervisor gave to others counts. 0 without /proc. */
const machineCpu = (): number => {
  if (!existsSync('/proc/stat')) return 0;
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = first
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softIrq + steal) * TICK_MS;
};

const ownCpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const measurePost = async (world: World, what: { text: string; format: Format; path: string }) => {
  const load = startLoad(world.edges, '/v1/tenants/t0/agents/1', LOAD_PER_SECOND);
  await sleep(TAIL_MS);
  const since = Date.now();
  const begun = performance.now();
  const cpuBefore = cpuOf(world);
  const [machineBefore, ownBefore] = [machineCpu(), ownCpu()];
  const live = Promise.all(world.edges.map((edge) => untilServed(edge, what.path)));
  const answer = await post(world, what.text, what.format);
  const answered = performance.now() - begun;
  const cpu = cpuOf(world);
  const machineMs = machineCpu() - machineBefore - (ownCpu() - ownBefore);
  const liveMs = Math.max(...(await live));
  await sleep(TAIL_MS);
  const pauseMs = longestPause(world, since);
  await load.stop();
  const used = Object.fromEntries(
    Object.entries(cpu).map(([name, ms]) => [name, ms - (cpuBefore[name] ?? 0)]),
  );
  const during = load.samples.filter(({ at }) => at >= since);
  const times = during.map(({ tookMs }) => tookMs);
  return {
    'POST to 201 ms': Math.round(answered),
    'live on 2 edges ms': Math.round(liveMs),
    acknowledged: answer.headers['x-sluice-acknowledged'],
    'CPU ms': used,
    'CPU ms of others': Math.max(0, Math.round(machineMs - Object.values(used).reduce((a, b) => a + b, 0))),
    'longest edge pause ms': Math.round(pauseMs),
    'load p50 ms': Number(percentile(times, 0.5).toFixed(1)),
    'load p99 ms': Number(percentile(times, 0.99).toFixed(1)),
    requests: times.length,
    failed: during.filter(({ status }) => status !== 200).length,
  };
};

const measure = async (routes: number, format: Format, upstreamPort: number): Promise<void> => {
  const world = await startWorld(upstreamPort);
  await using _running = world.gateway;
  const upstream = { host: '127.0.0.1', port: upstreamPort };
  const { document, pathOf } = generatedConfig(routes, upstream);
  const text = documentText(document, format);
  const changed = documentText(generatedConfig(routes, upstream, '/changed').document, format);
  const allNew = { text, format, path: pathOf(routes - 1) };
  const step = async (name: string, what: typeof allNew) => {
    await sleep(SETTLE_MS);
    const row = { routes, format, KiB: Math.round(text.length / 1024), post: name };
    process.stdout.write(`${JSON.stringify({ ...row, ...(await measurePost(world, what)) })}\n`);
  };
  await step('all new, processes just started', allNew);
  await step('one route changed', { text: changed, format, path: '/changed' });
  await sleep(SETTLE_MS);
  await post(world, documentText(generatedConfig(1, upstream).document, 'json'), 'json');
  await step('all new, once more', allNew);
  rmSync(world.loopDir, { recursive: true, force: true });
};

const upstream = createServer((_request, response) => response.end('ok'));
await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening));
const { port } = upstream.address() as AddressInfo;
/** `npm run bench -- config 10000 yaml`: sizes and formats to measure; without any, all. */
const wanted = process.argv.slice(3);
const sizes = SIZES.filter(
  (size) => !wanted.some((word) => /^\d+$/.test(word)) || wanted.includes(`${size}`),
);
const formats = FORMATS.filter(
  (format) => !FORMATS.some((one) => wanted.includes(one)) || wanted.includes(format),
);
for (const routes of sizes) for (const format of formats) await measure(routes, format, port);
upstream.close();

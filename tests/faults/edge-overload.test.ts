import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { call, eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { World } from '../conformance/world.ts';
import { AS_SHIPPED } from '../gateway.ts';

// Figures of a real overload need wrk and a machine that does nothing else: SLUICE_FAULTS=long. What the gate does is
// tested in services/edge-proxy/test/overload.
const hasWrk = (): boolean => {
  try {
    execFileSync('wrk', ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'; // it prints its version and fails
  }
};
const isMeasured = process.env.SLUICE_FAULTS === 'long' && hasWrk();
const SECONDS = Number(process.env.SLUICE_OVERLOAD_SECONDS ?? 20);
const QUIET_TENANTS = 9;
const QUIET_EVERY_MS = 50;

interface Flood {
  readonly answeredPerSecond: number;
  readonly refusedPerSecond: number;
  readonly latency: string;
}

interface FloodOptions {
  readonly connections: number;
  readonly seconds: number;
  /** So many a second all connections ask for; absent: as fast as they are answered. */
  readonly perSecond?: number;
}

const flood = async (
  origin: string,
  key: string,
  { connections, seconds, perSecond }: FloodOptions,
): Promise<Flood> => {
  const script = join(mkdtempSync(join(tmpdir(), 'sluice-flood-')), 'flood.lua');
  const pauseMs = perSecond === undefined ? 0 : Math.round((1000 * connections) / perSecond);
  writeFileSync(script, pauseMs === 0 ? '' : `function delay() return math.random(0, ${2 * pauseMs}) end`);
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}`,
    '--latency',
    '--timeout',
    '10',
    '-s',
    script,
    '-H',
    `apikey: ${key}`,
    `${origin}/`,
  ];
  const { stdout } = await promisify(execFile)('wrk', args);
  const [, requests = '0', took = '1'] = /(\d+) requests in ([\d.]+)/.exec(stdout) ?? [];
  const [, refused = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(stdout) ?? [];
  const [, p99 = ''] = /99%\s+(\S+)/.exec(stdout) ?? [];
  return {
    answeredPerSecond: Math.round((Number(requests) - Number(refused)) / Number(took)),
    refusedPerSecond: Math.round(Number(refused) / Number(took)),
    latency: p99,
  };
};

/** Tenants that ask 20 times a second each, until told to end; how long each answer took, by its status. */
const quietTenants = (origin: string) => {
  let isAsking = true;
  const took: { status: number; ms: number }[] = [];
  const tenants = Array.from({ length: QUIET_TENANTS }, async (_, i) => {
    while (isAsking) {
      const from = performance.now();
      const { status } = await call(origin, '/', { headers: { apikey: `quiet-${i}` } });
      took.push({ status, ms: performance.now() - from });
      await sleep(QUIET_EVERY_MS);
    }
  });
  return async () => {
    isAsking = false;
    await Promise.all(tenants);
    const sorted = took.map(({ ms }) => ms).sort((a, b) => a - b);
    const good = took.filter(({ status }) => status === 200).length;
    return {
      share: good / took.length,
      asked: took.length,
      p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    };
  };
};

test.skipIf(!isMeasured)(
  'given one tenant asks for more than the edge can do, then the others are served, the excess is refused, and it ends within 5 s',
  async () => {
    await using world = await World.start(AS_SHIPPED);
    const names = ['noisy', ...Array.from({ length: QUIET_TENANTS }, (_, i) => `quiet-${i}`)];
    await world.load({
      services: [world.service('echo', [{ name: 'all', paths: ['/'] }])],
      consumers: names.map((name) => ({ username: name, keyauth_credentials: [{ key: name }] })),
      plugins: [
        { name: 'key-auth' },
        { name: 'request-termination', config: { status_code: 200, message: 'ok' } },
      ],
    });
    const { proxy } = world.gateway.ready;
    await eventually(async () => (await call(proxy, '/', { headers: { apikey: 'noisy' } })).status === 200);
    await flood(proxy, 'noisy', { connections: 64, seconds: 3 }); // warm
    const normal = await flood(proxy, 'noisy', { connections: 64, seconds: Math.ceil(SECONDS / 4) });
    const stopQuiet = quietTenants(proxy);
    const over = await flood(proxy, 'noisy', {
      connections: 3000,
      seconds: SECONDS,
      perSecond: 3 * normal.answeredPerSecond,
    });
    const endedAt = performance.now();
    const quiet = await stopQuiet();
    await eventually(async () => {
      const { text } = await world.admin('/metrics');
      return /^sluice_overload_state\{[^}]*\} 0$/m.test(text);
    });
    const recoveredMs = Math.round(performance.now() - endedAt);
    process.stdout.write(
      `64 connections: ${normal.answeredPerSecond}/s, p99 ${normal.latency}\n` +
        `three times that by one tenant on 3000 connections: ${over.answeredPerSecond}/s answered ` +
        `(${Math.round((100 * over.answeredPerSecond) / normal.answeredPerSecond)} %), ${over.refusedPerSecond}/s refused\n` +
        `nine others: ${quiet.asked} requests, ${(100 * quiet.share).toFixed(2)} % answered, p99 ${quiet.p99.toFixed(0)} ms\n` +
        `normal again after ${recoveredMs} ms\n`,
    );
    expect(over.refusedPerSecond).toBeGreaterThan(0);
    expect(quiet.share).toBeGreaterThan(0.999);
  },
  300_000,
);

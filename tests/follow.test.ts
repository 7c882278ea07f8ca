import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { call, eventually, FaultProxy } from '@sluice/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ExplainWorld } from './explain-world.ts';

// What people watch: the views that go on until they are stopped.
const ROOT = join(import.meta.dirname, '..');
let world: ExplainWorld;
beforeAll(async () => {
  world = await ExplainWorld.start();
});
afterAll(() => world[Symbol.asyncDispose]());

const watching: ChildProcess[] = [];
afterEach(async () => {
  for (const child of watching.splice(0)) {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});

/** `sluice` with a view that goes on, and what it has said so far. */
const watch = (...args: string[]) => {
  const main = process.env.SLUICE_PROCESSES
    ? join(process.env.SLUICE_PROCESSES, 'cli', 'main.js')
    : join(ROOT, 'cli/src/main.ts');
  const child = spawn(process.execPath, [main, ...args, '--data-dir', world.gateway.dataDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SLUICE_ROOT: ROOT, NO_COLOR: '1' },
  });
  watching.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (text: Buffer) => {
    said.out += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    said.err += text.toString();
  });
  return { child, said };
};

/** The way to the registry, which can be cut. */
const wayToAdmin = () => FaultProxy.start(Number(new URL(world.gateway.ready.admin).port));

const proxy = (path: string, tenant: string) =>
  call(world.gateway.ready.proxy, path, { headers: { 'x-tenant-id': tenant } });
const linesOf = (out: string): string[] => out.split('\n').filter((line) => line !== '');

test('given tail follows, when requests come, then each that fits is shown once, and it goes on while the registry is away', async () => {
  await using way = await wayToAdmin();
  const admin = way.urlFor(world.gateway.ready.admin);
  await proxy('/open/before', 'tenant-watched');
  const { said, child } = watch('tail', '--follow', '--tenant', 'tenant-watched', '--admin', admin);
  await eventually(() => expect(said.out).toContain('/open/before'));

  await proxy('/open/other', 'tenant-other');
  await proxy('/open/first', 'tenant-watched');
  await eventually(() => expect(said.out).toContain('/open/first'));
  way.inject({ kind: 'refuse' });
  way.reset();
  await eventually(() => expect(said.err).toContain('still trying'));
  await proxy('/open/second', 'tenant-watched');
  way.heal();
  await eventually(() => expect(said.out).toContain('/open/second'));

  expect(child.exitCode).toBeNull();
  const paths = linesOf(said.out).map((line) => /GET (\S+)/.exec(line)?.[1]);
  expect(paths).toEqual(['/open/before', '/open/first', '/open/second']);
});

test('given top is looked at, when a tenant comes, then it is in the next view; and it goes on while the registry is away', async () => {
  await using way = await wayToAdmin();
  const { said, child } = watch(
    ...['top', '--seconds', '600', '--admin', way.urlFor(world.gateway.ready.admin)],
  );
  const newest = () => said.out.slice(said.out.lastIndexOf('\u001B[H\u001B[2J'));
  await eventually(() => expect(newest()).toContain('edges answered'));
  expect(said.out).not.toContain('tenant-late');

  await proxy('/open', 'tenant-late');
  await eventually(() => expect(newest()).toContain('tenant-late'));
  way.inject({ kind: 'refuse' });
  way.reset();
  await eventually(() => expect(newest()).toContain('still trying'));
  expect(newest()).not.toContain('tenant-late'); // an old view is not taken for one of now
  way.heal();
  await eventually(() => expect(newest()).toContain('tenant-late'));

  expect(child.exitCode).toBeNull();
});

test('given one edge hangs while the configuration changes, then doctor names it, and where it stands', async () => {
  const [pid = 0] = world.gateway.ready.pids['edge-proxy'];
  process.kill(pid, 'SIGSTOP');
  try {
    const made = world.gateway.admin('/services', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'one-more', host: '127.0.0.1' }),
    });
    await eventually(async () => {
      const { code, out } = await world.sluice('doctor');
      expect(code).not.toBe(0);
      expect(out).toMatch(/! configuration {4}\S+ is on r\d+ instead of r\d+\n {2}→ ask again in a second/);
    });
    await made;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await eventually(async () => expect((await world.sluice('doctor')).code).toBe(0), 30_000);
});

import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { isAlive, type JsonLine, StubRepository } from './support/gateway.ts';

const PROCESSES = [
  'edge-proxy',
  'auth',
  'ratelimit',
  'quota-mirror',
  'config-registry',
  'nats-server',
  'redis-server',
];
const pidsOf = (ready: JsonLine) => ready.pids as Record<string, number[]>;
const allPids = (ready: JsonLine) => Object.values(pidsOf(ready)).flat();

test('given free ports, when everything is up, then the last line names URLs and pids that work', async () => {
  // given
  await using repository = new StubRepository();

  // when
  const { lines } = repository.up(['--edges', '2']);
  const ready = await lines.next('ready');

  // then
  expect(Object.keys(ready)).toEqual(['event', 'proxy', 'admin', 'nats', 'redis', 'pids']);
  expect(Object.keys(pidsOf(ready))).toEqual(PROCESSES);
  expect(pidsOf(ready)['edge-proxy']).toHaveLength(2);
  expect(allPids(ready).every(isAlive)).toBe(true);
  expect((await fetch(`${ready.proxy}/`)).status).toBe(200);
  const runFile = JSON.parse(readFileSync(join(repository.dataDir, 'run.json'), 'utf8'));
  expect(runFile).toMatchObject({ proxy: ready.proxy, admin: ready.admin, issuer: null });
});

test('given a running gateway, when it gets SIGTERM, then it exits with 0 and leaves no process', async () => {
  // given
  await using repository = new StubRepository();
  const { child, lines } = repository.up();
  const ready = await lines.next('ready');

  // when
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await exited;

  // then
  expect(code).toBe(0);
  expect(allPids(ready).filter(isAlive)).toEqual([]);
  expect(existsSync(join(repository.dataDir, 'run.json'))).toBe(false);
});

test('given Ctrl-C that arrives twice, from the terminal and through npm, then it still stops in good order', async () => {
  await using repository = new StubRepository();
  const { child, lines } = repository.up();
  const ready = await lines.next('ready');

  const exited = once(child, 'exit');
  child.kill('SIGINT');
  child.kill('SIGINT');

  expect(await exited).toEqual([0, null]);
  expect(allPids(ready).filter(isAlive)).toEqual([]);
});

test('given a service that does not stop, when Ctrl-C is pressed again, then everything ends at once', async () => {
  // given
  await using repository = new StubRepository();
  const { child, lines } = repository.up([], { STUB_IGNORES_SIGTERM: 'true' });
  const ready = await lines.next('ready');
  const exited = once(child, 'exit');

  // when
  const again = setInterval(() => child.kill('SIGINT'), 100);
  const [code] = await exited;
  clearInterval(again);

  // then
  expect(code).toBe(1);
  await eventually(() => expect(allPids(ready).filter(isAlive)).toEqual([]));
});

test('given a running gateway, when it is killed, then its processes end and the next start works', async () => {
  // given
  await using repository = new StubRepository();
  const { child, lines } = repository.up();
  const ready = await lines.next('ready');
  process.kill(pidsOf(ready).auth?.[0] ?? 0, 'SIGSTOP'); // cannot watch anything any more

  // when
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await Promise.all(allPids(ready).map((pid) => eventually(() => !isAlive(pid))));

  // then
  const again = repository.up();
  expect(await again.lines.next('ready')).toMatchObject({ event: 'ready' });
});

test('when a service crashes, then it is said so and started again', async () => {
  await using repository = new StubRepository();
  const { lines } = repository.up();
  const ready = await lines.next('ready');

  await fetch(`${ready.proxy}/crash`).catch(() => {});

  expect(await lines.next('exited')).toMatchObject({ process: 'edge-proxy', code: 7, retryMs: 100 });
  const { pid } = await lines.next('restarted');
  expect(pid).not.toBe(pidsOf(ready)['edge-proxy']?.[0]);
  expect((await fetch(`${ready.proxy}/`)).status).toBe(200);
});

test('given --restart=never, when a service crashes, then it stays down and the others go on', async () => {
  await using repository = new StubRepository();
  const { lines } = repository.up(['--restart=never']);
  const ready = await lines.next('ready');

  await fetch(`${ready.proxy}/crash`).catch(() => {});

  expect(await lines.next('exited')).toMatchObject({ process: 'edge-proxy', code: 7 });
  expect(lines.seen.at(-1)).not.toHaveProperty('retryMs');
  expect((await fetch(`${ready.admin}/`)).status).toBe(200);
});

test('when a service never starts, then the start fails with the end of its log and leaves nothing', async () => {
  await using repository = new StubRepository();
  repository.write('services/auth/src/main.ts', 'throw new Error("no such setting");');

  const { code, err } = await repository.run([
    'up',
    '--no-demo',
    '--proxy-port',
    '0',
    '--admin-port',
    '0',
    '--restart=never',
  ]);

  expect(code).toBe(1);
  expect(err).toContain('auth-1 did not start');
  expect(err).toContain('no such setting');
  expect(existsSync(join(repository.dataDir, 'up.lock'))).toBe(false);
});

test('given a taken port, when it is asked for, then the message names port, owner and flag', async () => {
  // given
  await using repository = new StubRepository();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  // when
  const proxy = await repository.run(['up', '--no-demo', '--proxy-port', `${port}`]);
  const admin = await repository.run(['up', '--no-demo', '--proxy-port', '0', '--admin-port', `${port}`]);
  server.close();

  // then
  expect(proxy.code).toBe(3);
  expect(proxy.err).toContain(`port ${port} (proxy) is taken by pid ${process.pid}`);
  expect(proxy.err).toContain('--proxy-port');
  expect(admin.code).toBe(3);
  expect(admin.err).toContain('--admin-port');
});

test('given a gateway on a data directory, when a second one wants it, then it is refused', async () => {
  await using repository = new StubRepository();
  const { child, lines } = repository.up();
  await lines.next('ready');

  const { code, err } = await repository.run(['up', '--no-demo', '--proxy-port', '0', '--admin-port', '0']);

  expect(code).toBe(3);
  expect(err).toContain(`pid ${child.pid}`);
  expect(err).toContain('--data-dir');
});

test('given servers of the operator, then none is started and their URLs are passed on', async () => {
  await using repository = new StubRepository();
  const { lines } = repository.up(['--nats', 'nats://127.0.0.1:4999', '--redis', 'redis://127.0.0.1:6999']);

  const ready = await lines.next('ready');

  expect(ready).toMatchObject({ nats: 'nats://127.0.0.1:4999', redis: 'redis://127.0.0.1:6999' });
  expect(pidsOf(ready)).toMatchObject({ 'nats-server': [], 'redis-server': [] });
});

test('given a file, then it is sent to the Admin API as it is', async () => {
  await using repository = new StubRepository();
  repository.write('my.yml', '_format_version: "3.0"  # mine\n');
  const { lines } = repository.up(['--config', 'my.yml']);

  const { admin } = await lines.next('ready');

  const { posted } = (await (await fetch(`${admin}/`)).json()) as { posted: string };
  expect(JSON.parse(posted)).toEqual({ config: '_format_version: "3.0"  # mine\n' });
});

test('when the Admin API refuses the configuration, then its words are shown and the exit code is 1', async () => {
  await using repository = new StubRepository();
  repository.write('my.yml', '_refuse_me: true\n');

  const { code, err } = await repository.run([
    'up',
    '--proxy-port',
    '0',
    '--admin-port',
    '0',
    '--config',
    'my.yml',
  ]);

  expect(code).toBe(1);
  expect(err).toContain('my.yml:1:1  _refuse_me: unknown field');
});

test('given --demo, then edges reach its upstreams by their names and all know its issuer', async () => {
  // given
  await using repository = new StubRepository();
  repository.write('cli/src/demo/main.ts');

  // when
  const { lines } = repository.up(['--demo', '--edges', '2']);
  const { proxy } = await lines.next('ready');

  // then
  const { environment } = (await (await fetch(`${proxy}/`)).json()) as {
    environment: Record<string, string>;
  };
  const reached = environment.CONNECT_TO?.split(',').map((pair) => pair.split('=')) ?? [];
  const names = ['agent-orchestrator:8083', 'knowledge-rag:8084', 'integrations:8085', 'llmops:8081'];
  expect(reached.map(([name]) => name)).toEqual(names);
  expect(new Set(reached.map(([, address]) => address)).size).toBe(names.length);
  const { issuer } = JSON.parse(readFileSync(join(repository.dataDir, 'run.json'), 'utf8'));
  expect(environment).toMatchObject({ LOGTO_ISSUER: issuer, REUSE_PORT: 'true', STATUS_HOST: '127.0.0.1' });
  expect(environment.INSTANCE).toMatch(/^edge-proxy-[12]$/);
});

test('without --json, then there is a line for each part and the last one says ready', async () => {
  await using repository = new StubRepository();
  const child = repository.spawn(['up', '--config', 'none', '--proxy-port', '0', '--admin-port', '0']);
  if (child.stdout === null) throw new Error('the output is not piped');

  const seen: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    seen.push(line.trim());
    if (line.trim().startsWith('ready')) break;
  }

  for (const part of PROCESSES)
    expect(
      seen.some((line) => line.startsWith(`✔ ${part} `)),
      part,
    ).toBe(true);
  expect(seen.at(-1)).toMatch(/^ready in \d+\.\d s$/);
});

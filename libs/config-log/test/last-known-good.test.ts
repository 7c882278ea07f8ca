import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigState } from '@sluice/gateway-config';
import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { LastKnownGoodFile, type Position, provisionLog } from '../src/index.ts';
import { service, startParty, write } from './log-world.ts';

const folder = () => {
  const path = mkdtempSync(join(tmpdir(), 'sluice-lkg-'));
  return { path: join(path, 'config.lkg'), [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
};
const stateOf = (count: number): { state: ConfigState; position: Position } => {
  const state = new ConfigState();
  state.apply(Array.from({ length: count }, (_, index) => service(index)));
  return { state, position: { epoch: 'e', version: count, seq: count, digest: state.digest } };
};
const saved = async (path: string, ...counts: number[]): Promise<LastKnownGoodFile> => {
  const file = new LastKnownGoodFile(path, silentLogger());
  await file.load();
  for (const count of counts) {
    const { state, position } = stateOf(count);
    file.save(state, position);
    await file.flush();
  }
  return file;
};

test('what was saved is loaded, and nobody else may read the file', async () => {
  using file = folder();
  await saved(file.path, 500);

  const loaded = await new LastKnownGoodFile(file.path, silentLogger()).load();

  expect(loaded?.position).toEqual(stateOf(500).position);
  expect(loaded?.state.digest).toBe(stateOf(500).state.digest);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
});

const damages: Record<string, (path: string) => void> = {
  'cut short': (path) => truncateSync(path, statSync(path).size - 40),
  'one bit flipped': (path) => {
    const bytes = readFileSync(path);
    const at = bytes.indexOf('0.test');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  },
  empty: (path) => writeFileSync(path, ''),
  'of another version': (path) =>
    writeFileSync(path, readFileSync(path, 'utf8').replace('"version":7', '"version":9')),
  'not a state at all': (path) => writeFileSync(path, '{"format":0}\n{}\n'),
};
for (const [name, damage] of Object.entries(damages))
  test(`given a file that is ${name}, when it is loaded, then the one before it is used and survives the next save`, async () => {
    using file = folder();
    await saved(file.path, 6, 7);
    damage(file.path);

    const again = new LastKnownGoodFile(file.path, silentLogger());
    expect((await again.load())?.position.version).toBe(6);

    const { state, position } = stateOf(8);
    again.save(state, position);
    await again.flush();
    damage(file.path);
    truncateSync(file.path, 3);
    expect((await new LastKnownGoodFile(file.path, silentLogger()).load())?.position.version).toBe(6);
  });

test('given one bit flipped anywhere in the file, then it is refused, or is what was saved all the same', async () => {
  using file = folder();
  await saved(file.path, 6, 7);
  const whole = readFileSync(file.path);
  const good = [stateOf(6), stateOf(7)].map(({ state, position }) => `${position.version} ${state.digest}`);
  const found = new Map<string, number>();

  for (let at = 0; at < whole.length; at += 7) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(file.path, bytes);
    const loaded = await new LastKnownGoodFile(file.path, silentLogger()).load();
    const name = `${loaded?.position.version} ${loaded?.state.digest}`;
    found.set(name, (found.get(name) ?? 0) + 1);
  }

  expect([...found.keys()].filter((name) => !good.includes(name))).toEqual([]);
  expect(found.get(good[0] ?? '')).toBeGreaterThan(found.get(good[1] ?? '') ?? 0);
});

test('given a full disk, then the save is skipped and told, the file before stays, and the next save heals it', async () => {
  using file = folder();
  const store = await saved(file.path, 6);
  const draft = `${file.path}.tmp-${process.pid}`;
  symlinkSync('/dev/full', draft); // every write to it fails with ENOSPC
  const { state, position } = stateOf(7);

  store.save(state, position);
  await store.flush();

  expect(store.problem).toContain('ENOSPC');
  expect((await new LastKnownGoodFile(file.path, silentLogger()).load())?.position.version).toBe(6);
  unlinkSync(draft);
  store.save(state, position);
  await store.flush();
  expect(store.problem).toBeUndefined();
  expect((await new LastKnownGoodFile(file.path, silentLogger()).load())?.position.version).toBe(7);
});

test('given both files are damaged, then nothing is loaded', async () => {
  using file = folder();
  await saved(file.path, 6, 7);
  truncateSync(file.path, 3);
  truncateSync(`${file.path}.previous`, 3);

  expect(await new LastKnownGoodFile(file.path, silentLogger()).load()).toBeUndefined();
});

test('given NATS is down, when a process boots from its file, then it has the state at once and catches up later', async () => {
  using file = folder();
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  const store = new LastKnownGoodFile(file.path, silentLogger());
  store.save(writer.follower.state, writer.follower.position);
  await store.flush();
  await write(writer, epoch, [service(2)]);
  await nats.kill();

  const initial = await store.load();
  await using edge = startParty(nats.url, 'edge', { ...(initial === undefined ? {} : { initial }) });
  expect(edge.seen).toEqual([{ kind: 'state', epoch, version: 1 }]);
  expect(edge.follower.position.version).toBe(1);

  await nats.start();
  await eventually(() => edge.follower.position.version === 2);
  expect(edge.seen.at(-1)).toEqual({ kind: 'commit', epoch, version: 2 });
  expect(edge.follower.counts.resyncs).toMatchObject({ boot: 0, epoch: 0 });
});

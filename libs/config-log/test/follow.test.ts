import { configApplied } from '@sluice/contracts';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { provisionLog } from '../src/index.ts';
import { service, startParty, write } from './log-world.ts';

test('given three followers, when two writers commit 500 times each, then the chain is unbroken and all digests are equal', async () => {
  await using nats = await startNats();
  await using one = startParty(nats.url, 'writer-1');
  await using two = startParty(nats.url, 'writer-2');
  await using edges = new AsyncDisposableStack();
  const followers = ['a', 'b', 'c'].map((name) => edges.use(startParty(nats.url, `edge-${name}`)));
  const epoch = await provisionLog(one.jetstream);
  const work = async (writer: typeof one, offset: number) => {
    let conflicts = 0;
    for (let index = 0; index < 500; index++)
      conflicts += (await write(writer, epoch, [service(offset + (index % 50), index)])).conflicts;
    return conflicts;
  };

  const conflicts = await Promise.all([work(one, 0), work(two, 30)]);

  expect(conflicts[0] + conflicts[1], 'the writers got in each other’s way').toBeGreaterThan(0);
  for (const party of [one, two, ...followers]) {
    await eventually(() => party.follower.position.version === 1000);
    expect(party.follower.position).toEqual(one.follower.position);
    expect(party.follower.state.digest).toBe(one.follower.state.digest);
    const versions = party.seen.filter((s) => s.kind === 'commit').map((s) => s.version);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
    expect(party.follower.counts).toMatchObject({ badDigests: 0, foreign: 0 });
  }
  const { lastSeq } = await one.jetstream.streamInfo('CONFIG');
  expect(lastSeq).toBe(1000);
});

test('given an owner that takes its time with a state, then nothing else is given to it or acknowledged before it is done', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const acknowledged: number[] = [];
  writer.bus.on(configApplied, ({ instance, version }) => {
    if (instance === 'slow') acknowledged.push(version);
  });
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  const done = Promise.withResolvers<void>();
  await using slow = startParty(nats.url, 'slow', { onState: () => done.promise });
  await eventually(() => slow.seen.length === 1);

  await write(writer, epoch, [service(2)]);
  await write(writer, epoch, [service(3)]);
  await (await slow.bus.connection).flush();
  expect(slow.seen).toHaveLength(1);
  expect(slow.follower.position.version).toBe(0);
  expect(acknowledged).not.toContain(1);

  done.resolve();
  await eventually(() => slow.follower.position.version === 3);
  expect(slow.seen.map(({ kind, version }) => `${kind} ${version}`)).toEqual([
    'state 1',
    'commit 2',
    'commit 3',
  ]);
  await eventually(() => acknowledged.includes(3));
  expect(acknowledged.filter((version) => version > 0)).toEqual([1, 2, 3]);
});

test('given an owner that refuses a state after a while, then it is told so and the next change is given to it', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  await using edge = startParty(nats.url, 'edge', { onState: () => Promise.reject(new Error('not mine')) });
  await eventually(() => edge.follower.refusal === 'not mine');
  await write(writer, epoch, [service(2)]);
  await eventually(() => edge.follower.position.version === 2);
  expect(edge.follower.refusal).toBeUndefined();
});

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

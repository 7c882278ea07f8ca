import { randomBytes } from 'node:crypto';
import { STREAMS } from '@sluice/contracts';
import { startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import {
  appendCommit,
  GenerationGone,
  generationAt,
  provisionLog,
  readHistory,
  writeSnapshot,
} from '../src/index.ts';
import { type Party, service, startParty, write } from './log-world.ts';

/** Versions whose state cannot be rebuilt, or is another than it was. */
const lostOf = async ({ jetstream, follower }: Party, digests: ReadonlyMap<number, string>) => {
  const lost: number[] = [];
  for (const [version, digest] of digests) {
    const rebuilt = await generationAt(jetstream, follower.position, version).catch((error: unknown) => {
      if (error instanceof GenerationGone) return undefined;
      throw error;
    });
    if (rebuilt?.state.digest !== digest) lost.push(version);
  }
  return lost;
};

test('given snapshots that only shorten the way, when many commits follow, then every kept generation is rebuilt as it was', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const { jetstream, follower } = writer;
  const epoch = await provisionLog(jetstream);
  const digests = new Map<number, string>();
  const retention = { generations: 30, bytes: 1024 ** 3 };
  for (let version = 1; version <= 120; version++) {
    await write(writer, epoch, [service(version % 7, version)]);
    if (version > 90) digests.set(version, follower.state.digest);
    if (version % 5 === 0) await writeSnapshot(jetstream, follower.state, follower.position, retention);
  }
  await jetstream.append('config.committed', 'half a docum'); // is passed over
  await follower.catchUp();

  expect(digests.size).toBe(30);
  expect(await lostOf(writer, digests)).toEqual([]);
  const { messages } = await jetstream.streamInfo(STREAMS.CONFIG_SNAPSHOTS.name);
  expect(messages).toBeLessThanOrEqual(1 + 2 * 5); // the head; a manifest and a chunk each
  const page = await readHistory(jetstream, follower.position, { before: 101, limit: 40 });
  expect(page.map(({ commit }) => commit.version)).toEqual(Array.from({ length: 40 }, (_, at) => 100 - at));
});

test('given commits whose state is only in their snapshot, then those of kept generations stay and older ones are said to be gone', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const { jetstream, follower } = writer;
  const epoch = await provisionLog(jetstream);
  const retention = { generations: 4, bytes: 1024 ** 3 };
  const digests = new Map<number, string>();
  for (let version = 1; version <= 9; version++) {
    const padding = version % 2 === 0 ? randomBytes(400_000).toString('hex') : '';
    const base = { ...follower.position, epoch };
    const ops = [service(version % 3, version, padding)];
    await appendCommit({ jetstream, base, state: follower.state, ops, actor: 'test', retention });
    await follower.waitFor(version, 5000, epoch);
    digests.set(version, follower.state.digest);
  }

  // Of the newest four; r4 is what the oldest of them is rebuilt from, r8 named the last big commit.
  expect(await lostOf(writer, digests)).toEqual([2, 3]);
  const [last, before] = await readHistory(jetstream, follower.position, { before: 10, limit: 2 });
  expect(last?.commit.counts).toEqual({ added: 0, changed: 1, removed: 0 });
  expect(before?.commit).toMatchObject({ version: 8, ops: [], counts: { added: 0, changed: 1, removed: 0 } });
});

test('given more bytes of snapshots than may be kept, then the oldest go and the newest stay', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const { jetstream, follower } = writer;
  const epoch = await provisionLog(jetstream);
  const retention = { generations: 200, bytes: 12 * 256 * 1024 };
  const digests = new Map<number, string>();
  for (let version = 1; version <= 6; version++) {
    const base = { ...follower.position, epoch };
    const ops = [service(1, version, randomBytes(400_000).toString('hex'))];
    await appendCommit({ jetstream, base, state: follower.state, ops, actor: 'test', retention });
    await follower.waitFor(version, 5000, epoch);
    digests.set(version, follower.state.digest);
  }

  const lost = await lostOf(writer, digests);
  expect(lost.length).toBeGreaterThan(0);
  expect(lost).toEqual(Array.from(lost, (_, at) => at + 1));
  expect(lost).not.toContain(5);
});

test('given a snapshot of a commit that lost against another, then no version is rebuilt from it', async () => {
  await using nats = await startNats();
  await using winner = startParty(nats.url, 'winner');
  const { jetstream, follower } = winner;
  const epoch = await provisionLog(jetstream);
  await write(winner, epoch, [service(1)]);
  const base = follower.position;
  const state = follower.state.clone();
  await write(winner, epoch, [service(2)]);
  const { digest } = follower.state;
  const ops = [service(3, 0, randomBytes(400_000).toString('hex'))];
  expect(await appendCommit({ jetstream, base, state, ops, actor: 'late' })).toEqual({ outcome: 'conflict' });

  expect((await generationAt(jetstream, follower.position, 2)).state.digest).toBe(digest);
});

import { configApplied, configCommitted, configHeartbeat, STREAMS } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { appendCommit, LogUnavailable, provisionLog, startOf, writeSnapshot } from '../src/index.ts';
import { type Party, service, startParty, write } from './log-world.ts';

/** The short form; `KILLS=50` runs the long one. */
const KILLS = Number(process.env.KILLS ?? 15);

const settled = async (parties: readonly Party[], version: number): Promise<void> => {
  for (const { follower } of parties) await eventually(() => follower.position.version >= version);
};

test(
  'given nats-server is killed again and again, then no confirmed commit is lost and all end equal',
  async () => {
    await using nats = await startNats();
    await using writer = startParty(nats.url, 'writer');
    await using edges = new AsyncDisposableStack();
    const parties = [writer, ...['a', 'b'].map((name) => edges.use(startParty(nats.url, `edge-${name}`)))];
    const epoch = await provisionLog(writer.jetstream);
    await write(writer, epoch, [service(0)]);
    let confirmed = 1;
    let isOver = false;
    const writing = (async () => {
      for (let index = 1; !isOver; index++) {
        const { position: base, state } = writer.follower;
        const appended = await appendCommit({
          jetstream: writer.jetstream,
          base,
          state,
          ops: [service(index % 40, index)],
          actor: 'test',
          giveUpAfterMs: 5000,
        }).catch((error: unknown) => {
          if (error instanceof LogUnavailable) return undefined;
          throw error;
        });
        if (appended?.outcome === 'committed') {
          confirmed += 1;
          await writer.follower.waitFor(appended.commit.version, 10_000);
        } else await writer.follower.catchUp();
      }
    })();
    for (let kill = 0; kill < KILLS; kill++) {
      const reached = confirmed;
      await eventually(() => confirmed > reached);
      await nats.kill();
      await nats.start();
    }
    isOver = true;
    await writing;

    const { lastSeq, messages } = await writer.jetstream.streamInfo('CONFIG');
    await settled(parties, lastSeq);
    expect(messages).toBeGreaterThanOrEqual(confirmed);
    await using late = startParty(nats.url, 'late');
    await settled([late], lastSeq);
    for (const { follower, seen } of [...parties, late]) {
      expect(follower.position).toEqual(writer.follower.position);
      expect(follower.counts.badDigests).toBe(0);
      const versions = seen.map((s) => s.version);
      expect(versions, 'never backwards').toEqual(versions.toSorted((a, b) => a - b));
    }
  },
  60_000 + KILLS * 4000,
);

test('given the log is deleted and made again, then followers take the new epoch', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  await using edge = startParty(nats.url, 'edge');
  const first = await provisionLog(writer.jetstream);
  for (let index = 0; index < 5; index++) await write(writer, first, [service(index)]);
  await settled([edge], 5);
  const { manager } = await writer.jetstream.raw();
  await manager.streams.delete(STREAMS.CONFIG.name);
  const second = await provisionLog(writer.jetstream);
  expect(second).not.toBe(first);

  const appended = await appendCommit({
    jetstream: writer.jetstream,
    base: startOf(second),
    state: new ConfigState(),
    ops: [service(77)],
    actor: 'test',
  });

  expect(appended.outcome).toBe('committed');
  await eventually(() => edge.follower.position.epoch === second);
  expect(edge.follower.position.version).toBe(1);
  expect(edge.follower.state.size).toBe(1);
  expect(edge.follower.counts.resyncs.epoch).toBe(1);
});

test('given garbage, an old commit again and a forged one in the log, then followers skip them and go on', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  await using edge = startParty(nats.url, 'edge');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  await write(writer, epoch, [service(2)]);
  await settled([edge], 2);
  const old = await writer.jetstream.readAt('CONFIG', 1);
  const { payload } = JSON.parse(new TextDecoder().decode(old?.data)) as { payload: object };
  const envelope = { eventId: 'x', occurredAt: '2026-01-01T00:00:00Z', tenantId: '*' };
  const lies = [
    'half a docum',
    JSON.stringify({ ...envelope, payload }),
    JSON.stringify({ ...envelope, payload: { ...payload, version: 3, prevVersion: 2 } }),
    JSON.stringify({ ...envelope, payload: { ...payload, epoch: 'other', version: 9, prevVersion: 8 } }),
  ];
  for (const lie of lies) await writer.jetstream.append(configCommitted.subject, lie);
  await eventually(async () => {
    await writer.follower.catchUp();
    return writer.follower.position.seq === 6;
  });

  await write(writer, epoch, [service(3)]);

  await settled([edge], 3);
  expect(edge.follower.position).toMatchObject({ epoch, version: 3, seq: 7 });
  expect(edge.follower.state.size).toBe(3);
  expect(edge.follower.counts.badDigests).toBeGreaterThan(0);
  await using late = startParty(nats.url, 'late');
  await settled([late], 3);
  expect(late.follower.position).toEqual(edge.follower.position);
});

test('given a follower far behind, when it starts, then it takes the snapshot and only the commits after it', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  for (let index = 0; index < 30; index++) await write(writer, epoch, [service(index)]);
  await writeSnapshot(writer.jetstream, writer.follower.state, writer.follower.position);
  await write(writer, epoch, [service(99)]);

  await using late = startParty(nats.url, 'late');
  await settled([late], 31);

  expect(late.follower.position).toEqual(writer.follower.position);
  expect(late.seen).toEqual([{ kind: 'state', epoch, version: 31 }]);
  expect(late.follower.counts.directGets).toBeLessThan(5);
});

test('given an owner that throws at a commit, then the state goes on and the refusal is acknowledged until it takes one', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  await using edge = startParty(nats.url, 'edge', {
    onCommit: (commit) => {
      if (commit.version === 2) throw new Error('route r cannot be compiled');
    },
  });
  const heard: string[] = [];
  writer.bus.on(configApplied, ({ instance, version, outcome, reason }) => {
    if (instance === 'edge') heard.push(`${version} ${outcome}${reason === undefined ? '' : `: ${reason}`}`);
  });
  await (await writer.bus.connection).flush();
  for (const version of [1, 2, 3]) {
    await write(writer, epoch, [service(version)]);
    await settled([edge], version);
  }

  await eventually(() => heard.includes('3 applied'));
  expect(heard.filter((line) => !line.startsWith('0'))).toEqual([
    '1 applied',
    '2 refused: route r cannot be compiled',
    '3 applied',
  ]);
  expect(edge.follower.counts.refused).toBe(1);
  edge.follower.stop();
  await eventually(() => heard.at(-1) === '3 leaving');
});

test('given an owner that refused, when it takes the state after all, then that is acknowledged', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  await using edge = startParty(nats.url, 'edge', {
    onCommit: ({ version }) => {
      if (version === 2) throw new Error('something is missing');
    },
  });
  for (const version of [1, 2]) {
    await write(writer, epoch, [service(version)]);
    await settled([edge], version);
  }
  expect(edge.follower.refusal).toBe('something is missing');

  const taken: number[] = [];
  await edge.follower.retake((_state, { version }) => void taken.push(version));
  expect(taken).toEqual([2]);
  expect(edge.follower.refusal).toBeUndefined();
});

test('given a state that went wrong in memory, when the next commit does not fit it, then a whole state is taken instead', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  await using edge = startParty(nats.url, 'edge');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  await settled([edge], 1);
  edge.follower.state.apply([service(1, 666)]);

  await write(writer, epoch, [service(2)]);

  await settled([edge], 2);
  expect(edge.follower.state.digest).toBe(writer.follower.state.digest);
  expect(edge.follower.counts).toMatchObject({ badDigests: 1, resyncs: { digest: 1 } });
  expect(edge.seen.at(-1)).toEqual({ kind: 'state', epoch, version: 2 });
});

test('given a commit nobody heard live, when the heartbeat tells of it, then the follower fetches it', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  await using edge = startParty(nats.url, 'edge');
  const { republish: _, ...withoutRepublish } = STREAMS.CONFIG;
  await writer.jetstream.ensureStream(STREAMS.CONFIG_SNAPSHOTS);
  await writer.jetstream.ensureStream(withoutRepublish);
  await eventually(() => edge.seen.length === 1);
  const { jetstream } = writer;
  const state = new ConfigState();
  await appendCommit({ jetstream, base: startOf('e'), state, ops: [service(2)], actor: 'test' });
  expect(edge.follower.position.version).toBe(0);

  const digest = state.digestAfter([service(2)]);
  writer.bus.publish(configHeartbeat, { epoch: 'e', seq: 1, version: 1, digest, edges: 7 });

  await settled([edge], 1);
  expect(edge.follower.position).toEqual({ epoch: 'e', version: 1, seq: 1, digest });
  expect(edge.follower.heartbeatEdges).toBe(7);
  expect(edge.follower.isStale).toBe(false);
});

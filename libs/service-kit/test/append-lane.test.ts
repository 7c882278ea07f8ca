import { type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { AppendLane, Bus, JetStream, MessageTooLarge, SequenceConflict, StreamFull } from '../src/index.ts';

const given = async (nats: ServerProcess) => {
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  await jetstream.ensureStream({
    name: 'S',
    subjects: ['s.*'],
    maxAgeSeconds: 0,
    maxMessages: 6,
    allowDirect: true,
    discardNew: true,
  });
  return { jetstream, lane: new AppendLane(jetstream), [Symbol.asyncDispose]: () => bus.close() };
};

test('each message is told its own place, and what a stream refuses is told as what it is', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  const headers = { 'X-Version': '1' };
  const subjects = ['s.a', 's.b', 's.c', 's.d'];

  const acks = await Promise.all(
    subjects.map((subject) => kit.lane.append(subject, subject, { expectLastSubjectSequence: 0, headers })),
  );
  expect(acks).toEqual([{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4 }]);
  expect((await kit.jetstream.readAt('S', 3))?.header('X-Version')).toBe('1');

  const late = kit.lane.append('s.b', 'late', { expectLastSubjectSequence: 0 });
  const next = kit.lane.append('s.b', 'next', { expectLastSubjectSequence: 2 });
  await expect(late).rejects.toThrow(SequenceConflict);
  expect(await next).toEqual({ seq: 5 });
  await kit.lane.append('s.e', 'the last that fits', {});
  await expect(kit.lane.append('s.f', 'one too many', {})).rejects.toThrow(StreamFull);
  await expect(kit.lane.append('s.f', 'x'.repeat(2 ** 21), {})).rejects.toThrow(MessageTooLarge);
  await expect(kit.lane.append('nobody', 'x', {})).rejects.toThrow('nobody: no stream takes it');
});

test('given the server hangs, then an append is given up, and the next after that is stored', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  await kit.lane.append('s.a', 'before', {});

  nats.freeze();
  await expect(kit.lane.append('s.b', 'meanwhile', {})).rejects.toThrow('s.b: no stream answered');
  nats.thaw();

  const { seq } = await kit.lane.append('s.c', 'after', {});
  expect(seq).toBeGreaterThan(1);
});

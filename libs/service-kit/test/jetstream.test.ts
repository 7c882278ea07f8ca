import { STREAMS } from '@sluice/contracts';
import { eventually, type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { Bus, JetStream, MessageTooLarge, SequenceConflict } from '../src/index.ts';

const text = (data: Uint8Array | undefined): string => new TextDecoder().decode(data);

const given = async (nats: ServerProcess) => {
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  await bus.connection;
  return { jetstream: new JetStream(bus), [Symbol.asyncDispose]: () => bus.close() };
};

test.each(Object.values(STREAMS))('the server keeps every setting of stream $name', async (definition) => {
  await using nats = await startNats();
  await using kit = await given(nats);

  const createdMs = await kit.jetstream.ensureStream(definition);

  expect(createdMs).toBe((await kit.jetstream.streamInfo(definition.name)).createdMs);
});

test('given the stream is there with other settings and messages, then it is brought to the definition and keeps them', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  const definition = { name: 'S', subjects: ['s.*'], maxAgeSeconds: 60 };
  const createdMs = await kit.jetstream.ensureStream(definition);
  await kit.jetstream.append('s.a', 'kept');

  const wanted = { ...definition, subjects: ['s.*', 't'], maxAgeSeconds: 3600, maxMessages: 10 };
  expect(await kit.jetstream.ensureStream(wanted)).toBe(createdMs);
  expect(await kit.jetstream.ensureStream(wanted)).toBe(createdMs);

  const { config } = await (await kit.jetstream.raw()).manager.streams.info('S');
  expect(config).toMatchObject({ subjects: ['s.*', 't'], max_age: 3600e9, max_msgs: 10 });
  expect(await kit.jetstream.streamInfo('S')).toMatchObject({ firstSeq: 1, lastSeq: 1, messages: 1 });
});

test('given the server keeps something else than was asked, then that is an error naming stream and setting', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);

  // 0 becomes -1, without a word from the server.
  const asked = kit.jetstream.ensureStream({ name: 'S', subjects: ['s'], maxAgeSeconds: 0, maxMessages: 0 });

  await expect(asked).rejects.toThrow('stream S: the server did not keep max_msgs');
});

test('given another stream has the subject, then the server’s refusal comes through', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  await kit.jetstream.ensureStream({ name: 'A', subjects: ['s.>'], maxAgeSeconds: 0 });

  const asked = kit.jetstream.ensureStream({ name: 'B', subjects: ['s.b'], maxAgeSeconds: 0 });

  await expect(asked).rejects.toThrow(/overlap/);
});

test('given two writers expect the same last message, then one wins and the other hears of the conflict', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  const { jetstream } = kit;
  await jetstream.ensureStream({ name: 'S', subjects: ['s.*'], maxAgeSeconds: 0 });
  const first = await jetstream.append('s.a', 'first', { expectLastSubjectSequence: 0 });

  const outcomes = await Promise.allSettled(
    ['x', 'y'].map((body) => jetstream.append('s.a', body, { expectLastSubjectSequence: first.seq })),
  );

  const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(lost.map(({ reason }) => reason)).toEqual([expect.any(SequenceConflict)]);
  expect((await jetstream.streamInfo('S')).messages).toBe(2);
  // Another subject has its own order.
  await expect(jetstream.append('s.b', 'z', { expectLastSubjectSequence: 0 })).resolves.toMatchObject({
    seq: 3,
  });
});

test('given the same message id again, then it is stored once and said to be a duplicate', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  await kit.jetstream.ensureStream(STREAMS.QUOTAS);

  const first = await kit.jetstream.append('quota.updated', 'x', { msgId: 'event-1' });
  const again = await kit.jetstream.append('quota.updated', 'x', { msgId: 'event-1' });

  expect(first).toEqual({ seq: 1, duplicate: false });
  expect(again).toEqual({ seq: 1, duplicate: true });
  expect((await kit.jetstream.streamInfo('QUOTAS')).messages).toBe(1);
});

test('given stored messages, when they are read, then they come as they were, and what is not there is undefined', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  const { jetstream } = kit;
  await jetstream.ensureStream({ name: 'S', subjects: ['s.*'], maxAgeSeconds: 0, allowDirect: true });
  await jetstream.append('s.a', 'one', { headers: { 'X-Why': 'first' } });
  await jetstream.append('s.a', 'two');
  await jetstream.append('s.b', new Uint8Array([0, 255, 10]));

  const one = await jetstream.readAt('S', 1);
  expect([one?.seq, one?.subject, text(one?.data)]).toEqual([1, 's.a', 'one']);
  expect([one?.header('X-Why'), one?.header('X-Other')]).toEqual(['first', undefined]);
  expect(one?.time.getTime()).toBeGreaterThan(Date.parse('2020-01-01'));
  expect(text((await jetstream.readLast('S', 's.a'))?.data)).toBe('two');
  expect([...((await jetstream.readLast('S', 's.b'))?.data ?? [])]).toEqual([0, 255, 10]);

  expect(await jetstream.readAt('S', 99)).toBeUndefined();
  expect(await jetstream.readLast('S', 's.none')).toBeUndefined();
});

test('given a stream that does not exist, when it is read, then that is an error and no "not there"', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);

  await expect(kit.jetstream.readAt('NOWHERE', 1, 100)).rejects.toThrow();
  await expect(kit.jetstream.readLast('NOWHERE', 's', 100)).rejects.toThrow();
});

test('given a purge of one subject, then its newest messages stay as asked and others are untouched', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  const { jetstream } = kit;
  await jetstream.ensureStream({ name: 'S', subjects: ['s.*'], maxAgeSeconds: 0, allowDirect: true });
  for (const body of ['1', '2', '3']) await jetstream.append('s.a', body);
  await jetstream.append('s.b', 'other');

  await jetstream.purge('S', 's.a', 1);

  expect(await jetstream.readAt('S', 2)).toBeUndefined();
  expect(text((await jetstream.readLast('S', 's.a'))?.data)).toBe('3');
  await jetstream.purge('S', 's.a');
  expect(await jetstream.readLast('S', 's.a')).toBeUndefined();
  expect(text((await jetstream.readLast('S', 's.b'))?.data)).toBe('other');
});

test('given a message larger than the server takes, then it is refused by subject and size, and the next is stored', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  await kit.jetstream.ensureStream(STREAMS.QUOTAS);

  const refused = kit.jetstream.append('quota.updated', new Uint8Array(1024 * 1024 + 1));

  await expect(refused).rejects.toThrow(MessageTooLarge);
  await expect(refused).rejects.toThrow(/^quota\.updated: .*1048577 bytes.*1048576/);
  expect(await kit.jetstream.append('quota.updated', 'x')).toMatchObject({ seq: 1 });
});

test('given the server is killed and restarted, then what was acknowledged is there', async () => {
  await using nats = await startNats();
  await using kit = await given(nats);
  const definition = { name: 'S', subjects: ['s'], maxAgeSeconds: 0, allowDirect: true };
  const createdMs = await kit.jetstream.ensureStream(definition);
  await kit.jetstream.append('s', 'kept');

  await nats.kill();
  await nats.start();

  await eventually(async () =>
    expect(text((await kit.jetstream.readLast('S', 's', 500))?.data)).toBe('kept'),
  );
  expect(await kit.jetstream.ensureStream(definition)).toBe(createdMs);
});

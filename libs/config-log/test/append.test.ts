import { configCommitted } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { appendCommit, LogUnavailable, provisionLog, readHead } from '../src/index.ts';
import { service, startParty, write } from './log-world.ts';
import { SwallowingProxy } from './swallowing-proxy.ts';

test('given the answer to a publish is lost with the connection, when the writer looks again, then there is exactly one commit', async () => {
  await using nats = await startNats();
  await using proxy = await SwallowingProxy.start(nats.port);
  await using edge = startParty(nats.url, 'edge');
  await using writer = startParty(proxy.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);

  proxy.swallowNextAnswer();
  const base = writer.follower.position;
  const appended = await appendCommit({
    jetstream: writer.jetstream,
    base,
    state: writer.follower.state,
    ops: [service(2)],
    actor: 'test',
  });

  expect(proxy.swallowed).toBeGreaterThan(0);
  expect(appended).toMatchObject({ outcome: 'committed', seq: base.seq + 1, commit: { version: 2 } });
  expect(await edge.jetstream.streamInfo('CONFIG')).toMatchObject({ messages: 2 });
  await eventually(() => edge.follower.position.version === 2);
  await eventually(() => writer.follower.position.version === 2);
  expect(edge.follower.position).toEqual(writer.follower.position);
});

test('given a commit the log rejected, then it is seen on the captured subject and by no follower', async () => {
  await using nats = await startNats();
  await using edge = startParty(nats.url, 'edge');
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  // A set: of a machine too busy to hear the log's answer in time, a writer says the same once more.
  const captured = new Set<string>();
  const said = (version: number, op: { id: string }) => `${version} ${op.id}`;
  writer.bus.on(configCommitted, ({ payload }) => {
    for (const op of payload.ops) captured.add(said(payload.version, op));
  });
  await (await writer.bus.connection).flush();
  const stale = { ...writer.follower.position, epoch };
  await write(writer, epoch, [service(1)]);
  await eventually(() => edge.follower.position.version === 1); // one that starts late takes both at once

  const rejected = await appendCommit({
    jetstream: writer.jetstream,
    base: stale,
    state: new ConfigState(),
    ops: [service(2)],
    actor: 'late',
  });
  await write(writer, epoch, [service(3)]);

  expect(rejected).toEqual({ outcome: 'conflict' });
  await eventually(() => edge.follower.position.version === 2);
  await eventually(() => captured.size === 3);
  expect([...captured]).toEqual([said(1, service(1)), said(1, service(2)), said(2, service(3))]);
  expect(edge.seen.map((s) => s.version).filter((v) => v > 0)).toEqual([1, 2]);
  expect(edge.follower.state.get('services', (service(2) as { id: string }).id)).toBeUndefined();
});

test('given the same event id twice, then it is one commit', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  const request = {
    jetstream: writer.jetstream,
    base: { ...writer.follower.position, epoch },
    state: writer.follower.state,
    ops: [service(1)],
    actor: 'test',
    eventId: 'again',
  };
  const first = await appendCommit({ ...request });
  const second = await appendCommit({ ...request, ops: [service(1)] });

  expect(second).toMatchObject({ outcome: 'committed', seq: first.outcome === 'committed' ? first.seq : -1 });
  expect(await writer.jetstream.streamInfo('CONFIG')).toMatchObject({ messages: 1 });
});

test('given operations larger than a message, then the commit carries a snapshot and followers take it', async () => {
  await using nats = await startNats();
  await using edge = startParty(nats.url, 'edge');
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  const incompressible = () => Buffer.from(crypto.getRandomValues(new Uint8Array(3000))).toString('base64');
  const many = Array.from({ length: 400 }, (_, index) => service(index, 1, incompressible()));

  await write(writer, epoch, many);
  await write(writer, epoch, [service(2, 2)]);

  await eventually(() => edge.follower.position.version === 3);
  expect(edge.follower.state.digest).toBe(writer.follower.state.digest);
  expect(edge.follower.state.count('services')).toBe(400);
  expect((await readHead(writer.jetstream))?.head).toMatchObject({ version: 2, seq: 2 });
  expect((await readHead(writer.jetstream))?.head.chunks).toBeGreaterThan(2);
  await using late = startParty(nats.url, 'late');
  await eventually(() => late.follower.position.version === 3);
  expect(late.follower.position).toEqual(edge.follower.position);
});

test('given the server is gone, when a commit is appended, then it fails by its deadline and says so', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  await nats.kill();

  const attempt = appendCommit({
    jetstream: writer.jetstream,
    base: writer.follower.position,
    state: writer.follower.state,
    ops: [service(2)],
    actor: 'test',
    giveUpAfterMs: 200,
  });

  await expect(attempt).rejects.toThrow(LogUnavailable);
});

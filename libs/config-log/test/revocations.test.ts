import { authConfirmRevocation, authRevoked, type Revocation, STREAMS, subjectFor } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { appendRevocation, followRevocations } from '../src/index.ts';

const AT = 1_767_323_045_000;
const NAME = STREAMS.REVOCATIONS.name;
const revocation = (value: string, notBeforeMs = AT): Revocation => ({ by: 'subject', value, notBeforeMs });
const token = (subject: string, issuedAtMs = AT - 1) => ({ subject, issuedAtMs });

/** The registry's half on the real bus, and followers beside it. */
const startWorld = async ({ hasStream = true } = {}) => {
  const stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const logger = silentLogger();
  const open = (name: string): Bus => {
    const bus = Bus.open({ url: nats.url, name, logger });
    stack.defer(() => bus.close());
    return bus;
  };
  const bus = open('registry');
  const jetstream = new JetStream(bus);
  if (hasStream) await jetstream.ensureStream(STREAMS.REVOCATIONS);
  return {
    nats,
    bus,
    jetstream,
    revoke: (one: Revocation) =>
      appendRevocation(jetstream, { revocation: one, occurredAt: '2026-01-02T03:04:05.000Z', actor: 'olga' }),
    follow: (name = 'edge-1') => {
      const doubts: number[] = [];
      const remade: number[] = [];
      const own = open(name);
      const follower = followRevocations({
        bus: own,
        jetstream: new JetStream(own),
        logger,
        confirmAs: { process: 'edge-proxy', instance: name },
        onDoubt: () => doubts.push(1),
        onRecreated: () => remade.push(1),
      });
      stack.defer(() => follower.stop());
      return { follower, list: follower.list, doubts, remade };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};

const restart = async (nats: ServerProcess): Promise<void> => {
  await nats.kill();
  await nats.start();
};

test('given followers, when something is revoked, then each has it; one that starts later reads it', async () => {
  await using world = await startWorld();
  const early = [world.follow('edge-1'), world.follow('edge-2')];
  await Promise.all(early.map(({ follower }) => follower.waitUntilRead(10_000)));

  await world.revoke(revocation('user-1'));
  await eventually(() => early.every(({ list }) => list.refuses(token('user-1'))));

  const late = world.follow('edge-3');
  expect(await late.follower.waitUntilRead(10_000)).toBe(true);
  expect(late.list.refuses(token('user-1'))).toBe(true);
  expect(late.list.refuses(token('user-2'))).toBe(false);
  expect(late.follower.confirmedMsAgo).not.toBe(Number.POSITIVE_INFINITY);
});

test('given a long list with holes, when it is read, then nothing of it is missing', async () => {
  await using world = await startWorld();
  const values = Array.from({ length: 300 }, (_, index) => `user-${index}`);
  await Promise.all(values.map((value) => world.revoke(revocation(value))));
  for (const value of values.slice(40, 260)) await world.revoke(revocation(value, AT + 5));

  const { follower, list } = world.follow();
  await follower.waitUntilRead(10_000);

  expect(list.size).toBe(300);
  expect(values.filter((value) => !list.refuses(token(value)))).toEqual([]);
  expect(values.filter((value) => list.refuses(token(value, AT + 1)))).toEqual(values.slice(40, 260));
});

test('given the bus was away, when it is back, then what was revoked meanwhile is read before the list counts as read', async () => {
  await using world = await startWorld();
  const { follower, list } = world.follow();
  await follower.waitUntilRead(10_000);
  await world.revoke(revocation('user-1'));
  await eventually(() => list.refuses(token('user-1')));

  await restart(world.nats);
  await eventually(() => world.revoke(revocation('user-2')).then(() => true));
  await eventually(() => follower.isRead && list.refuses(token('user-2')));
  expect(list.refuses(token('user-1'))).toBe(true);
});

test('given the list cannot be read after the bus came back, then what was remembered is in doubt', async () => {
  await using world = await startWorld();
  const { follower, doubts } = world.follow();
  await follower.waitUntilRead(10_000);
  expect(doubts).toEqual([]);
  await world.jetstream.raw().then(({ manager }) => manager.streams.delete(NAME));

  await restart(world.nats);
  await eventually(() => doubts.length === 1);
  expect(follower.isRead).toBe(false);

  await eventually(() => world.jetstream.ensureStream(STREAMS.REVOCATIONS));
  expect(await follower.waitUntilRead(10_000)).toBe(true);
  expect(doubts.length).toBe(1);
});

test('given no stream yet, then the list is not read; when it is made, then it is', async () => {
  await using world = await startWorld({ hasStream: false });
  const { follower } = world.follow();
  expect(await follower.waitUntilRead(300)).toBe(false);
  expect(follower.confirmedMsAgo).toBe(Number.POSITIVE_INFINITY);
  await world.jetstream.ensureStream(STREAMS.REVOCATIONS);
  expect(await follower.waitUntilRead(10_000)).toBe(true);
});

test('given the stream was lost and made anew, then nothing is forgotten, and what is new is not taken for old', async () => {
  await using world = await startWorld();
  const { follower, list, remade } = world.follow();
  for (const value of ['user-1', 'user-2', 'user-3']) await world.revoke(revocation(value));
  await eventually(() => list.size === 3);
  await follower.waitUntilRead(10_000);
  await world.jetstream.raw().then(({ manager }) => manager.streams.delete(NAME));
  await world.jetstream.ensureStream(STREAMS.REVOCATIONS);

  await world.revoke(revocation('user-4'));

  await eventually(() => list.refuses(token('user-4')) && remade.length === 1);
  expect(list.refuses(token('user-1'))).toBe(true);
});

test('a revocation of an earlier instant never takes the place of a later one', async () => {
  await using world = await startWorld();
  expect(await world.revoke(revocation('user-1'))).toMatchObject({ isNew: true });
  expect(await world.revoke(revocation('user-1', AT - 1000))).toMatchObject({
    isNew: false,
    stored: { revocation: { notBeforeMs: AT }, actor: 'olga' },
  });
  expect(await world.revoke(revocation('user-1', AT + 1000))).toMatchObject({ isNew: true });
  expect(await world.jetstream.streamInfo(NAME)).toMatchObject({ messages: 1, lastSeq: 2 });
});

test('given several writers at once, then the latest instant is on the list', async () => {
  await using world = await startWorld();
  await Promise.all(Array.from({ length: 8 }, (_, index) => world.revoke(revocation('user-1', AT + index))));

  const { follower, list } = world.follow();
  await follower.waitUntilRead(10_000);

  expect(list.holds(revocation('user-1', AT + 7))).toBe(true);
});

test('given somebody who asks, then each follower confirms what is in force, and waits for what is on its way', async () => {
  await using world = await startWorld();
  const followers = [world.follow('edge-1'), world.follow('edge-2')];
  await Promise.all(followers.map(({ follower }) => follower.waitUntilRead(10_000)));

  const asked = world.bus.scatter(authConfirmRevocation, revocation('user-1'), 2);
  await world.revoke(revocation('user-1'));

  const answers = (await asked).sort((one, other) => (one.instance < other.instance ? -1 : 1));
  expect(answers).toEqual([
    { process: 'edge-proxy', instance: 'edge-1', isInForce: true },
    { process: 'edge-proxy', instance: 'edge-2', isInForce: true },
  ]);
  expect(await world.bus.scatter(authConfirmRevocation, revocation('user-2'), 1)).toMatchObject([
    { isInForce: false },
  ]);
});

test('given a message in the list that is no revocation, then it is passed over', async () => {
  await using world = await startWorld();
  await world.jetstream.append(subjectFor(authRevoked, 'garbage'), 'not json');
  await world.revoke(revocation('user-1'));

  const { follower, list } = world.follow();
  await follower.waitUntilRead(10_000);

  expect(list.refuses(token('user-1'))).toBe(true);
});

import { configHeartbeat, configLiveCommitted } from '@sluice/contracts';
import { eventually, FaultProxy, startNats } from '@sluice/testkit';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { provisionLog } from '../src/index.ts';
import { service, startParty, write } from './log-world.ts';

test.each(['partition', 'refuse'] as const)(
  'given one of three followers behind a %s while 20 changes are made, when it heals, then all hold the same state',
  async (kind) => {
    await using nats = await startNats();
    await using link = await FaultProxy.start(nats.port);
    await using writer = startParty(nats.url, 'writer');
    await using near = startParty(nats.url, 'near');
    await using far = startParty(link.urlFor(nats.url), 'far');
    const epoch = await provisionLog(writer.jetstream);
    await write(writer, epoch, [service(0)]);
    await eventually(() => far.follower.position.version === 1);

    link.inject({ kind });
    for (let n = 1; n <= 20; n++) await write(writer, epoch, [service(n % 5, n)]);
    await eventually(() => near.follower.position.version === 21);
    expect(far.follower.position.version).toBe(1); // it goes on with what it has
    if (kind === 'refuse') link.reset(); // what was on its way is lost
    link.heal();

    await eventually(() => far.follower.position.version === 21);
    expect(far.follower.position).toEqual(near.follower.position);
    expect(far.follower.state.digest).toBe(writer.follower.state.digest);
  },
);

test('given garbage straight on the live subjects, half a document and an old revision, then each is counted and nothing changes', async () => {
  await using nats = await startNats();
  await using writer = startParty(nats.url, 'writer');
  await using edge = startParty(nats.url, 'edge');
  const epoch = await provisionLog(writer.jetstream);
  await write(writer, epoch, [service(1)]);
  await write(writer, epoch, [service(2)]);
  await eventually(() => edge.follower.position.version === 2);
  const held = { ...edge.follower.position };
  const old = await writer.jetstream.readAt('CONFIG', 1);
  const outside = await connect({ servers: nats.url });

  const lies = [
    '',
    '{"half":',
    'null',
    '[]',
    new Uint8Array([0xff, 0xfe, 0x00]),
    '{"payload":{"version":99}}',
  ];
  for (const subject of [configLiveCommitted.subject, configHeartbeat.subject])
    for (const lie of lies) outside.publish(subject, lie);
  outside.publish(configLiveCommitted.subject, old?.data); // a revision that is over, and without its place
  await outside.flush();

  await eventually(() => {
    expect(edge.bus.malformed.get(configLiveCommitted.subject)).toBeGreaterThanOrEqual(lies.length);
    expect(edge.bus.malformed.get(configHeartbeat.subject)).toBe(lies.length);
  });
  expect(edge.follower.position).toEqual(held);
  await write(writer, epoch, [service(3)]);
  await eventually(() => edge.follower.position.version === 3);
  await outside.close();
});

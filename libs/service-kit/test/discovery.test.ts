import { authVerify, BUS_USERS, type BusUser, busRefused, natsAuthorization } from '@sluice/contracts';
import { eventually, type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { connect, type QueuedIterator, RequestStrategy } from 'nats';
import { expect, test } from 'vitest';
import { Bus } from '../src/index.ts';

const PROCESSES = BUS_USERS.filter((user) => user !== 'operator' && user !== 'litellm');

const busOf = (nats: ServerProcess, part: BusUser, name: string): Bus =>
  Bus.open({ url: nats.url, user: part, password: part, name, part, logger: silentLogger() });

const all = async <T>(answers: Promise<QueuedIterator<T>>): Promise<T[]> => {
  const list: T[] = [];
  for await (const one of await answers) list.push(one);
  return list;
};

test('given every process with its own user, when NATS’ own client looks for services, then each says who it is, what it answers and how that went', async () => {
  await using nats = await startNats({ config: natsAuthorization((user) => JSON.stringify(user)) });
  const buses = PROCESSES.map((part) => busOf(nats, part, `${part}-a.host-1`));
  const operator = busOf(nats, 'operator', 'operator');
  const [edge, auth] = ['edge-proxy', 'auth'].map((part) => buses[PROCESSES.indexOf(part as never)]) as [
    Bus,
    Bus,
  ];
  auth.answer(authVerify, () => {
    throw new TypeError('with a s3cret of the asker');
  });
  for (const bus of [...buses, operator]) await (await bus.connection).flush();
  await operator.scatter(busRefused, {}, PROCESSES.length);
  await edge.ask(authVerify, authVerify.examples[0]?.request as never).catch(() => undefined);

  const client = await connect({ servers: nats.url, user: 'operator', pass: 'operator' });
  const found = (count: number) =>
    client.services.client({ strategy: RequestStrategy.Count, maxMessages: count, maxWait: 10_000 });
  const pings = await all(found(PROCESSES.length).ping());
  expect(pings.map(({ name, id }) => `${name} ${id}`).sort()).toEqual(
    PROCESSES.map((part) => `${part} ${part}-a_host-1`).sort(),
  );
  expect(pings.find(({ name }) => name === 'auth')).toEqual({
    ...{ type: 'io.nats.micro.v1.ping_response', name: 'auth', id: 'auth-a_host-1' },
    ...{ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), metadata: { instance: 'auth-a.host-1' } },
  });

  const [info] = await all(found(1).info('auth'));
  expect(info?.endpoints.map(({ subject, queue_group }) => [subject, queue_group])).toEqual([
    ['bus.v1.refused', ''],
    ['auth.v1.verify', 'auth'],
  ]);
  await eventually(async () => {
    const [stats] = await all(found(1).stats('auth', 'auth-a_host-1'));
    expect(stats).toMatchObject({ type: 'io.nats.micro.v1.stats_response', started: expect.any(String) });
    expect(stats?.endpoints).toMatchObject([
      { name: 'bus-v1-refused', num_requests: 1, num_errors: 0, last_error: '' },
      { name: 'auth-v1-verify', num_requests: 1, num_errors: 1, last_error: 'TypeError' },
    ]);
    expect(JSON.stringify(stats)).not.toContain('s3cret');
  });
  for (const bus of [...buses, operator]) expect(bus.refusals.list()).toEqual([]);
  await client.close();
  for (const bus of [...buses, operator]) await bus.close();
});

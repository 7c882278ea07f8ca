import { STREAMS } from '@sluice/contracts';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { runRegistry, yamlOf } from './registry-world.ts';

interface Event {
  eventId: string;
  actor: string;
  payload: {
    version: number;
    index: number;
    of: number;
    collection: string;
    entity: Record<string, unknown> | null;
  };
}
type World = Awaited<ReturnType<typeof runRegistry>>;

const eventsOf = async ({ jetstream }: World): Promise<{ subject: string; event: Event }[]> => {
  const { lastSeq } = await jetstream.streamInfo(STREAMS.CONFIG_EVENTS.name);
  const { manager } = await jetstream.raw();
  const all = [];
  for (let seq = 1; seq <= lastSeq; seq++) {
    const { subject, data } = await manager.streams.getMessage(STREAMS.CONFIG_EVENTS.name, { seq });
    all.push({ subject, event: JSON.parse(new TextDecoder().decode(data)) as Event });
  }
  return all;
};

test('given two registries, when the configuration changes, then each change is one event, in order', async () => {
  await using nats = await startNats();
  await using one = await runRegistry(nats.url, { instance: 'registry-1' });
  await using two = await runRegistry(nats.url, { instance: 'registry-2' });

  await one.postYaml(yamlOf(1), '/config', { 'x-sluice-author': 'ann' });
  await two.postYaml(yamlOf(2, 'other.test'));
  await one.postYaml(
    '_format_version: "3.0"\nconsumers:\n- username: u\n  jwt_secrets: [{key: k, secret: very-secret}]\n',
  );

  await eventually(async () => (await eventsOf(one)).length === 11);
  const events = await eventsOf(two);
  expect(events.map(({ subject, event }) => `${event.payload.version} ${subject}`).toSorted()).toEqual([
    '1 config.route.created',
    '1 config.service.created',
    '2 config.route.created',
    '2 config.service.created',
    '2 config.service.updated',
    '3 config.consumer.created',
    '3 config.key.created',
    '3 config.route.deleted',
    '3 config.route.deleted',
    '3 config.service.deleted',
    '3 config.service.deleted',
  ]);
  const versions = events.map(({ event }) => event.payload.version);
  expect(versions).toEqual(versions.toSorted());
  expect(new Set(events.map(({ event }) => event.eventId)).size).toBe(11);
  expect(events[0]?.event).toMatchObject({ actor: 'ann', payload: { of: 2 } });
  expect(JSON.stringify(events)).not.toContain('very-secret');
});

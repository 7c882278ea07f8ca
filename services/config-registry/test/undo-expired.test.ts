import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { undoing, untilTagsOf } from '../src/until-tag.ts';
import { runRegistry } from './registry-world.ts';

const tagAt = (ms: number, rest: string) => `sluice-until:${Math.floor(ms / 1000)}:${rest}`;

test('a tag says until when which field holds what; what only looks like one is left alone', () => {
  const good = tagAt(1_767_323_045_000, 'config.hour:1000:null');
  expect(untilTagsOf({ tags: ['mine', good, 'sluice-until:soon', `${good}:7`] })).toEqual([
    { tag: good, atMs: 1_767_323_045_000, field: 'config.hour', now: 1000, before: null },
  ]);
  expect(untilTagsOf({ tags: null })).toEqual([]);
});

test('what is over is put back, unless somebody has set something else since', () => {
  const tags = [tagAt(1e12, 'config.hour:1000:3'), tagAt(1e12, 'enabled:false:true'), 'mine'];
  const over = untilTagsOf({ tags });
  expect(undoing({ tags, enabled: false, config: { hour: 1000, day: 9 } }, over)).toEqual({
    ...{ tags: ['mine'], config: { hour: 3 }, enabled: true },
  });
  expect(undoing({ tags: tags.slice(0, 1), enabled: true, config: { hour: 50 } }, over)).toEqual({
    tags: null,
  });
});

test('given a limit that was raised for a time, when the time is over, then any registry puts it back, once', async () => {
  await using nats = await startNats();
  const plugin = (hour: number, tags: readonly string[]) =>
    `- name: rate-limiting\n  instance_name: n${hour}\n  config: { hour: ${hour} }\n  tags: [${tags.map((tag) => `"${tag}"`).join(', ')}]\n  route: r${hour}\n`;
  const hours = [1000, 2000, 4000];
  const text = (due: number) =>
    `_format_version: "3.0"\nservices:\n- name: s\n  host: upstream.test\n  routes:\n${hours
      .map((hour) => `  - { name: r${hour}, paths: [/r${hour}] }\n`)
      .join('')}plugins:\n${plugin(1000, ['mine', tagAt(due, 'config.hour:1000:3')])}${plugin(2000, [
      tagAt(due, 'config.hour:500:3'),
    ])}${plugin(4000, [tagAt(due + 86_400_000, 'config.hour:4000:3')])}`;
  {
    await using first = await runRegistry(nats.url);
    const posted = await first.postYaml(text(Date.now() + 3000));
    expect(posted.status).toBe(201);
  }
  await using second = await runRegistry(nats.url, { instance: 'registry-2' });
  await using third = await runRegistry(nats.url, { instance: 'registry-3' });
  const told = async () => {
    const { body } = await second.send('GET', '/plugins');
    const data = body?.data as { config: { hour: number }; tags: string[] | null }[];
    return data.map(({ config, tags }) => [config.hour, tags]).toSorted();
  };
  await eventually(async () =>
    expect(await told()).toEqual([
      [2000, null], // somebody had decided otherwise
      [3, ['mine']],
      [4000, [expect.stringMatching(/^sluice-until:/)]],
    ]),
  );
  const { body } = await third.send('GET', '/sluice/history');
  const history = body?.data as { author: string; message: string }[];
  expect(
    history
      .filter(({ author }) => author === 'sluice')
      .map(({ message }) => message)
      .toSorted(),
  ).toEqual([
    'its time is over: rate-limiting config.hour 1000 back to 3',
    'its time is over: rate-limiting config.hour 500 back to 3',
  ]);
});

import { readHead } from '@sluice/config-log';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { runEdge, runRegistry, yamlOf } from './registry-world.ts';

test('given 50 commits, then a snapshot is stored and a new edge starts from it', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  for (let index = 0; index < 51; index++) await registry.postYaml(yamlOf(1, `host-${index}.test`));

  await eventually(async () => ((await readHead(registry.jetstream))?.head.version ?? 0) >= 50);

  await using edge = await runEdge(nats.url, 'edge');
  await eventually(() => edge.follower.position.version === 51);
  expect(edge.follower.counts.directGets).toBeLessThan(10);
});

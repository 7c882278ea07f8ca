import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { runEdge, runRegistry, yamlOf } from './registry-world.ts';

test('given the log is lost while the registry lives, then it is filled again and edges take the new epoch', async () => {
  await using server = await startNats();
  await using registry = await runRegistry(server.url);
  await using edge = await runEdge(server.url, 'edge');
  await registry.postYaml(yamlOf(1));
  await registry.postYaml(yamlOf(2));
  await eventually(() => edge.follower.position.version === 2);
  const { epoch, digest } = edge.follower.position;

  await server.kill();
  rmSync(join(server.dataDir, 'jetstream'), { recursive: true });
  await server.start();

  await eventually(() => edge.follower.position.epoch !== epoch);
  expect(edge.follower.position).toMatchObject({ version: 1, digest });
});

test('given the end of the log is lost while the registry lives, then its state begins a new epoch and nobody goes back', async () => {
  await using server = await startNats();
  await using registry = await runRegistry(server.url);
  await using edge = await runEdge(server.url, 'edge');
  await registry.postYaml(yamlOf(1));
  const saved = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  try {
    await server.kill();
    cpSync(server.dataDir, saved, { recursive: true });
    await server.start();
    await eventually(async () => (await registry.postYaml(yamlOf(2))).status === 201);
    await eventually(() => edge.follower.position.version === 2);
    const { epoch, digest } = edge.follower.position;
    await server.kill();
    rmSync(join(server.dataDir, 'jetstream'), { recursive: true });
    cpSync(saved, server.dataDir, { recursive: true });
    await server.start();

    await eventually(() => edge.follower.position.epoch !== epoch);
    expect(edge.follower.position).toMatchObject({ version: 1, digest });
    expect((await registry.postYaml(yamlOf(3))).headers.get('x-sluice-generation')).toBe('r2');
    await eventually(() => edge.follower.position.version === 2);
  } finally {
    rmSync(saved, { recursive: true });
  }
});

test('given the end of the log is lost while no registry runs, then the edges follow the next one into a new epoch', async () => {
  await using server = await startNats();
  await using edge = await runEdge(server.url, 'edge');
  {
    await using first = await runRegistry(server.url, { instance: 'first' });
    await first.postYaml(yamlOf(1));
  }
  const saved = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  try {
    await server.kill();
    cpSync(server.dataDir, saved, { recursive: true });
    await server.start();
    {
      await using second = await runRegistry(server.url, { instance: 'second' });
      await second.postYaml(yamlOf(2));
      await eventually(() => edge.follower.position.version === 2);
    }
    await server.kill();
    rmSync(join(server.dataDir, 'jetstream'), { recursive: true });
    cpSync(saved, server.dataDir, { recursive: true });
    await server.start();
    await using third = await runRegistry(server.url, { instance: 'third' });

    await eventually(() => edge.follower.position.version === 1);
    expect(edge.follower.state.count('services')).toBe(1);
    await third.postYaml(yamlOf(3));
    await eventually(() => edge.follower.state.count('services') === 3);
  } finally {
    rmSync(saved, { recursive: true });
  }
});

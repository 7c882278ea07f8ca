import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { runRegistry, yamlOf } from './registry-world.ts';

test('given a configuration file, then it is applied at the start, not again when it is old, and an invalid one stops the start', async () => {
  await using server = await startNats();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-registry-'));
  const file = join(folder, 'kong.yml');
  const start = (instance: string) =>
    runRegistry(server.url, { instance, env: { DECLARATIVE_CONFIG: file } });
  try {
    writeFileSync(file, yamlOf(2));
    {
      await using first = await start('first');
      expect(first.registry.describe()).toBe('revision r1 · 2 routes · 2 services');
      await first.postYaml(yamlOf(3));
    }
    {
      await using again = await start('again');
      expect(again.registry.describe()).toBe('revision r2 · 3 routes · 3 services');
    }
    writeFileSync(file, yamlOf(1));
    {
      await using changed = await start('changed');
      expect(changed.registry.describe()).toBe('revision r3 · 1 routes · 1 services');
    }
    writeFileSync(file, '_format_version: "3.0"\nservices:\n- name: x\n');
    await expect(start('invalid')).rejects.toThrow(/services\[0\].*host.*required field missing/s);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfigText } from '@sluice/gateway-config';
import { syncAsDeck } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { useRegistry } from './writing.ts';

const { send, list } = useRegistry();

const platform = (): Readonly<Record<string, unknown>> => {
  const file = join(import.meta.dirname, '../../../../config/kong.yml');
  const parsed = parseConfigText(readFileSync(file, 'utf8'));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
};

test('given the platform’s file, when decK syncs twice, then the second run finds no change', async () => {
  const node = (await send('GET', '/')).body as { version: string; configuration: { database: string } };
  expect(node.version).toMatch(/^3\.\d+\.\d+$/);
  expect(node.configuration.database).not.toBe('off'); // decK refuses single writes then
  const file = platform();
  const counts = ['services', 'routes', 'plugins'].map((kind) => (file[kind] as object[]).length);

  const first = await syncAsDeck(send, file);
  const second = await syncAsDeck(send, file);

  expect(first).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
  expect(second).toEqual([]);
  expect(await list('/routes?size=1000')).toHaveLength(counts[1] ?? 0);
});

test('given one field changed in the file, then decK writes that entity only', async () => {
  const file = platform();
  await syncAsDeck(send, file);
  const [service, ...others] = file.services as Record<string, unknown>[];

  const changed = await syncAsDeck(send, { ...file, services: [{ ...service, retries: 4 }, ...others] });

  expect(changed).toEqual([`update services ${String(service?.name)}`]);
});

import { quotaList } from '@sluice/contracts';
import { Bus } from '@sluice/service-kit';
import { eventually, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { eventOf, quota, startedMirror } from './given.ts';

test('tenants are listed by how much they have used; those of a period that is over come last and count as no alert', async () => {
  await using nats = await startNats();
  await using redis = await startRedis();
  await using running = await startedMirror(nats, redis);
  const asker = Bus.open({ url: nats.url, name: 'asker', logger: silentLogger() });
  await asker.connection;
  const ask = (request: Partial<z.input<typeof quotaList.request>>) =>
    asker.ask(quotaList, { show: 'all', limit: 50, ...request });
  expect(await ask({})).toMatchObject({ tenants: [], found: 0, counts: { all: 0 } });

  for (const [tenant, used] of [
    ['calm', 100],
    ['near', 8500],
    ['over', 12_000],
    ['Past', 9999],
  ] as const)
    await running.publish(
      eventOf(tenant, quota(used, tenant === 'Past' ? { resetAt: '2020-01-01T00:00:00Z' } : {})),
    );
  await eventually(async () => expect((await ask({})).found).toBe(4));

  const all = await ask({});
  expect(all.tenants.map(({ tenantId }) => tenantId)).toEqual(['over', 'near', 'calm', 'Past']);
  expect(all.counts).toEqual({ all: 4, alert: 2, exceeded: 1, stale: 1 });
  expect(all.tenants[1]).toMatchObject({ share: 0.85, condition: 'alert', limit: 10_000, stale: false });
  const names = async (request: Parameters<typeof ask>[0]) =>
    (await ask(request)).tenants.map(({ tenantId }) => tenantId);
  expect(await names({ show: 'alert' })).toEqual(['over', 'near']);
  expect(await names({ show: 'exceeded' })).toEqual(['over']);
  expect(await names({ show: 'stale' })).toEqual(['Past']);
  expect(await names({ search: 'PA' })).toEqual(['Past']);
  expect(await ask({ offset: 1, limit: 2 })).toMatchObject({
    ...{ found: 4, tenants: [{ tenantId: 'near' }, { tenantId: 'calm' }] },
  });
  await asker.close();
});

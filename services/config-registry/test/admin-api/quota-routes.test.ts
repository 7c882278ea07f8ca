import { quotaList } from '@sluice/contracts';
import { Bus } from '@sluice/service-kit';
import { silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { runRegistry } from '../registry-world.ts';

const [{ reply: page }] = quotaList.examples as [(typeof quotaList.examples)[0]];

test('given nobody who knows quotas, then 503 says so; given a mirror, then its answer comes in pages', async () => {
  await using nats = await startNats();
  await using world = await runRegistry(nats.url);
  const silent = await world.send('GET', '/sluice/quotas');
  expect([silent.status, silent.body]).toMatchObject([503, { error: { code: 'quotas_unavailable' } }]);

  const mirror = Bus.open({ url: nats.url, name: 'mirror', logger: silentLogger() });
  const asked: unknown[] = [];
  mirror.answer(quotaList, (request) => {
    asked.push(request);
    return { ...page, found: 3 };
  });
  await mirror.connection;
  await mirror.ask(quotaList, { show: 'all', limit: 1 }); // the server knows of it
  const first = await world.send('GET', '/sluice/quotas?show=alert&search=a%20b&limit=1');
  expect(first.status).toBe(200);
  expect(first.body).toMatchObject({
    ...{ data: page.tenants, found: 3, counts: page.counts },
    next: '/sluice/quotas?show=alert&limit=1&offset=1&search=a+b',
  });
  expect(asked.at(-1)).toEqual({ show: 'alert', search: 'a b', limit: 1, offset: 0 });
  expect(
    (await world.send('GET', `${first.body?.next}`.replace('offset=1', 'offset=2'))).body?.next,
  ).toBeNull();
  for (const wrong of ['limit=0', 'limit=201', 'offset=-1', 'show=everybody']) {
    const refused = await world.send('GET', `/sluice/quotas?${wrong}`);
    expect([
      wrong,
      refused.status,
      (refused.body?.error as { message: string } | undefined)?.message,
    ]).toEqual([...[wrong, 400], expect.stringContaining(`${wrong.split('=')[0]}: `)]);
  }
  await mirror.close();
});

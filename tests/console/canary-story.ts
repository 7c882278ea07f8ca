import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import type { ConsoleWorld } from './console-world.ts';
import { Visit } from './visit.ts';

/** A candidate on one of two edges, in the world of the other pages' tests. */
export const canaryStory = (world: () => ConsoleWorld): void => {
  test('a candidate is offered to some edges, compared with the others, dropped, and made live', async () => {
    await using visit = await Visit.of(world(), 'operator');
    const { page } = visit;
    await visit.open('config');
    await page.getByText('No difference to what is live').waitFor();
    const { config } = (await (await visit.ask('/config')).json()) as { config: string };
    const at = config.indexOf('name: spread');
    await visit.pasteOverAll(config.slice(0, at) + config.slice(at).replace('path: null', 'path: /tried'));
    const offer = page.getByRole('region', { name: 'On some of the edges' });
    const candidate = page.getByRole('region', { name: 'Candidate' });
    const tryIt = async () => {
      await offer.getByRole('button', { name: 'Try it on some' }).click();
      await candidate.getByText('tried by').waitFor();
    };
    await offer.getByLabel('% of the edges').fill('50');
    await offer.getByLabel('Minutes').fill('30');
    await offer.getByText("sluice canary kong.yml --share 50% --for 1800s -m 'why'").waitFor();
    await tryIt();
    const requestsOf = async (side: string) =>
      Number(await candidate.locator('tr', { hasText: side }).locator('td').nth(2).textContent());
    await eventually(async () => {
      await world().ask('/open', 'meets-both');
      expect(await requestsOf('candidate')).toBeGreaterThan(0);
      expect(await requestsOf('the others')).toBeGreaterThan(0);
    }, 20_000);
    expect(await candidate.locator('tr', { hasText: 'candidate' }).textContent()).toMatch(/0\.0 %0\.0 %\d/);
    expect(await visit.findings('canary')).toEqual([]);

    await candidate.getByRole('button', { name: 'Drop it' }).click();
    await candidate.getByText('aborted by otto').waitFor();
    await tryIt();
    await candidate.getByRole('button', { name: 'Make it live now' }).click();
    await candidate.getByText(/as r\d+: promoted by otto/).waitFor();
    expect(await (await visit.ask('/services/spread')).json()).toMatchObject({ path: '/tried' });
    expect(visit.complaints).toEqual([]);
    await visit.change('PATCH', '/services/spread', { path: null });
  });
};

import { call, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canaryStory } from './canary-story.ts';
import { ConsoleWorld, LIMIT, TOKENS } from './console-world.ts';
import { pagesOfPolicies } from './pages-of-policies.ts';
import { Visit } from './visit.ts';

const MAX_FIRST_LOAD_BYTES = 250 * 1024;
/** The first time on a machine Chromium may have to be installed. */
const INSTALL_MS = 600_000;

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
}, INSTALL_MS);
afterAll(() => world[Symbol.asyncDispose]());

describe('files', () => {
  test('the first load is less than 250 KB packed, needs no login, and nothing of it is inline', async () => {
    const packed = { headers: { 'accept-encoding': 'gzip' } };
    const index = await fetch(`${world.admin}/console`, packed);
    const html = await index.text();
    expect(index.headers.get('cache-control')).toBe('no-cache');
    expect(index.headers.get('content-security-policy')).toMatch(/^default-src 'self'; /);
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|style=|https?:/);
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(assets.length).toBeGreaterThan(2);
    let bytes = Number(index.headers.get('content-length'));
    for (const path of assets) {
      const answer = await call(world.admin, path, packed);
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(answer.headers['content-encoding']).toBe('gzip');
      bytes += Number(answer.headers['content-length']);
    }
    expect(bytes).toBeLessThan(MAX_FIRST_LOAD_BYTES);
  });

  test('who takes nothing packed gets the same bytes plain', async () => {
    const ask = async (coding: string) => {
      const answer = await fetch(`${world.admin}/console`, { headers: { 'accept-encoding': coding } });
      return answer.text(); // fetch unpacks
    };
    expect(await ask('identity')).toBe(await ask('gzip'));
    expect(await ask('br')).toBe(await ask('identity'));
  });

  test('a file that is not there is a 404 in our own form, also where its name leads elsewhere', async () => {
    for (const name of ['nothing.js', '..%2Findex.html', '..%2F..%2Fpackage.json']) {
      const answer = await call(world.admin, `/console/assets/${name}`);
      expect([name, answer.status, answer.json<{ error: { code: string } }>().error.code]).toEqual([
        ...[name, 404, 'no_such_file'],
      ]);
    }
  });
});

describe('login and roles', () => {
  test('given nobody is logged in, then the login is shown; a wrong token is refused, the right one lets in until the log-out', async () => {
    await using visit = await Visit.of(world, undefined, ['status of 401']);
    const { page } = visit;
    await page.getByLabel('Admin token').fill('x'.repeat(32));
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('Nobody has this token').waitFor();
    expect(await visit.findings('login')).toEqual([]);
    await page.getByLabel('Admin token').fill(TOKENS.viewer);
    await page.keyboard.press('Enter');
    await page.getByText('vera').waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Admin token').waitFor();
    expect(visit.complaints).toEqual([]);
  });

  test('a viewer sees no secret and nothing that he may not do', async () => {
    await world.refusedOf('seen-by-vera');
    await using visit = await Visit.of(world, 'viewer');
    await visit.open('config');
    await visit.page.getByText('it takes the role operator').waitFor();
    await visit.open('tenant/seen-by-vera');
    await visit.page.getByText('Which policy').waitFor();
    await visit.page.getByText('of route limited').waitFor();
    expect(await visit.page.getByRole('button', { name: 'Set the limit' }).count()).toBe(0);
    expect(await visit.page.getByText('Revoke the tokens').count()).toBe(0);
    await visit.open('guard');
    await visit.page.getByRole('region', { name: 'Where it looks' }).getByText('route chat').waitFor();
    expect(await visit.page.getByRole('button', { name: 'Judge it' }).count()).toBe(0);
    await visit.page.getByRole('link', { name: 'Admin API' }).click();
    await visit.page.getByRole('heading', { name: 'Admin API', level: 1 }).waitFor();
    expect(visit.complaints).toEqual([]);
  });

  test('when the session ends elsewhere, then the page asks for the token again', async () => {
    await using visit = await Visit.of(world, 'viewer', ['status of 401', 'sluice/live']);
    await visit.page.getByText('live · r').waitFor();
    await visit.change('DELETE', '/sluice/session');
    await visit.page.getByLabel('Admin token').waitFor();
  });
});

describe('what happens now', () => {
  test('requests show within seconds: rates, tenants, refusals, both edges and their generation', async () => {
    await using visit = await Visit.of(world, 'viewer');
    const { page } = visit;
    await eventually(async () => {
      await world.ask('/open', 'busy-tenant');
      await world.ask('/nowhere', 'busy-tenant');
      const text = await page.locator('main').textContent();
      for (const part of ['busy-tenant', 'GW_NO_ROUTE', 'edge-proxy-1', 'edge-proxy-2', 'of 2 edges'])
        expect(text).toContain(part);
      const requests = await page.locator('.figure', { hasText: 'Requests' }).locator('dd').textContent();
      expect(Number.parseFloat(requests ?? '')).toBeGreaterThan(0);
    }, 20_000);
    await page.getByText('well', { exact: true }).first().waitFor();
    expect(await visit.findings('now')).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  test('a request is found by its id: its story, its way, and what can be done', async () => {
    const refused = await world.refusedOf('asks-why');
    await using visit = await Visit.of(world, 'viewer');
    const { page } = visit;
    await visit.open('request');
    await page.getByLabel(/Request, trace or correlation id/).fill(`${refused.headers['x-kong-request-id']}`);
    await page.keyboard.press('Enter');
    await page.getByText(`asks-why has used ${LIMIT} of ${LIMIT} requests an hour`).waitFor();
    const text = await page.locator('main').textContent();
    for (const part of [
      'plugin rate-limiting',
      'PATCH /plugins/',
      'GET /limited',
      'sluice explain',
      'Where the time went',
    ])
      expect(text).toContain(part);
    expect(await page.locator('.stretch').count()).toBeGreaterThan(0);
    await page.getByText('No spans of it came here').waitFor();
    await world.tellSpans(`${await page.getByText('sluice trace ').textContent()}`.split(' ').at(-1) ?? '');
    const spans = page.getByRole('region', { name: 'Spans' });
    await spans.getByText('rate-limiting access 412 µs, refused GW_RATE_LIMITED').waitFor();
    await spans.getByRole('link', { name: 'abababab' }).waitFor();
    expect(await visit.findings('request')).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });
});

pagesOfPolicies(() => world);
canaryStory(() => world);

describe('acting', () => {
  test('a tenant’s 429s: who refuses, which policy, the number, since when, only them; and the limit raised', async () => {
    await Promise.all(['three-am', 'also-hit'].map((tenant) => world.refusedOf(tenant)));
    await using visit = await Visit.of(world, 'operator');
    const { page } = visit;
    await visit.open('tenant/three-am');
    await page.getByText(`three-am has used ${LIMIT} of ${LIMIT} requests an hour`).waitFor();
    await page.getByRole('link', { name: 'also-hit' }).waitFor();
    const story = await page.getByRole('region', { name: '429 GW_RATE_LIMITED' }).textContent();
    expect(story).toMatch(/rate-limiting plugin [0-9a-f-]{36} of route limited/);
    expect(story).toMatch(/used per hour 3 of 3/);
    expect(story).toMatch(/\d\d:\d\d:\d\d, \d+ s ago/);
    expect(await visit.findings('tenant-story')).toEqual([]);

    await page.getByLabel(/Per hour/).fill('1000');
    await page.getByRole('combobox').selectOption('an hour');
    await page.getByText("sluice apply kong.yml -m 'hour limit 3 to 1000 for an hour'").waitFor();
    await page.getByRole('button', { name: 'Set the limit' }).click();
    await page.getByText(/r\d+: 1000 a hour, live on 2\/2 edges/).waitFor();
    expect((await world.ask('/limited', 'three-am')).status).toBe(200);
    await page.getByText(/1,000 a hour until \d\d:\d\d:\d\d, then 3 again/).waitFor();
    await page.getByRole('button', { name: 'Back to 3 now' }).click();
    await page.getByText(/r\d+: 3 a hour, live on 2\/2 edges/).waitFor();
    await page.getByText('then 3 again').waitFor({ state: 'detached' });
    expect(visit.complaints).toEqual([]);
  });

  test('the configuration: a mistake is marked in its line, a change is compared with what is live, applied, and rolled back', async () => {
    await using visit = await Visit.of(world, 'operator');
    const { page } = visit;
    await visit.open('config');
    await page.getByText('No difference to what is live').waitFor();
    expect(await page.getByRole('button', { name: 'Apply 0 changes' }).isDisabled()).toBe(true);
    const { config } = (await (await visit.ask('/config')).json()) as { config: string };
    await visit.pasteOverAll(`${config}\nservces: []\n`);
    await page.getByText('did you mean services?').first().waitFor();
    await page.locator('.cm-lint-marker-error').waitFor();
    await page.locator('.cm-lintRange-error').waitFor();
    expect(await page.getByRole('button', { name: /^Apply/ }).count()).toBe(0);
    expect(await visit.findings('config-invalid')).toEqual([]);

    const at = config.indexOf('name: spread');
    await visit.pasteOverAll(
      config.slice(0, at) + config.slice(at).replace('path: null', 'path: /elsewhere'),
    );
    const change = page.locator('.change');
    await change.getByText('service spread').waitFor();
    expect(await change.textContent()).toContain('path: null → "/elsewhere"');
    const rehearsal = page.getByRole('region', { name: 'On the latest requests' });
    await rehearsal.getByRole('button', { name: 'Simulate', exact: true }).click();
    await rehearsal.getByText(/\d+ of \d+ requests would end otherwise/).waitFor();
    await page.getByRole('textbox', { name: 'Why' }).fill('spread it elsewhere');
    await page.getByText("sluice apply kong.yml -m 'spread it elsewhere'").waitFor();
    expect(await visit.findings('config')).toEqual([]);
    await page.getByRole('button', { name: 'Apply 1 change' }).click();
    await page.getByText(/r\d+ is live on 2\/2 edges/).waitFor();
    const changed = await visit.ask('/services/spread');
    expect(await changed.json()).toMatchObject({ path: '/elsewhere' });
    await page.getByRole('button', { name: 'Go on from there' }).click();
    await page.getByText('No difference to what is live').waitFor();

    const history = page.getByRole('region', { name: 'History' });
    await history.getByText('spread it elsewhere').waitFor();
    await history
      .getByRole('button', { name: /^Back to r/ })
      .first()
      .click();
    await history.getByText('path: "/elsewhere" → null').waitFor();
    await history.getByText(/^sluice rollback \d+$/).waitFor();
    expect(await visit.findings('history')).toEqual([]);
    await history.getByRole('button', { name: /^Roll back to r/ }).click();
    await history.getByText(/back to r\d+ from the console/).waitFor();
    expect(await (await visit.ask('/services/spread')).json()).toMatchObject({ path: null });
    await page.getByText('No difference to what is live').waitFor();
    expect(visit.complaints).toEqual([]);
  });

  test('a configuration that changed meanwhile is not overwritten', async () => {
    await using visit = await Visit.of(world, 'operator', ['status of 409']);
    const { page } = visit;
    await visit.open('config');
    await page.getByText('No difference to what is live').waitFor();
    await visit.pasteOverAll('_format_version: "3.0"\n');
    await page.getByRole('button', { name: /^Apply [1-9]\d* changes/ }).waitFor();
    await visit.change('PATCH', '/services/spread', { retries: 2 });
    await page.getByRole('button', { name: /^Apply/ }).click();
    await page.getByText('Somebody was faster.').waitFor();
    await page.getByRole('button', { name: 'Begin anew with it' }).click();
    await page.getByText('No difference to what is live').waitFor();
    expect(visit.complaints).toEqual([]);
  });

  test('a target is taken out and put back', async () => {
    await using visit = await Visit.of(world, 'operator');
    const { page } = visit;
    await visit.open('routes');
    await page.getByText('targets.internal').waitFor();
    await page.getByRole('button', { name: 'Take out' }).click();
    await page.getByText('unhealthy', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Put back' }).click();
    await page.getByText('healthy', { exact: true }).waitFor();
    expect(await visit.findings('routes')).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });
});

test('every other page is readable by everybody, in light, in dark and on a phone', async () => {
  await using visit = await Visit.of(world, 'admin');
  const { page } = visit;
  for (const [place, shown] of [
    ['tenant', 'Asking now'],
    ['tenant/nobody-knows', 'remember no request of nobody-knows'],
    ['request/of-nobody', 'Nobody remembers this request'],
    ['fleet', 'Who follows the configuration'],
    ['access', 'Nothing is revoked'],
    ['audit', 'config.committed'],
  ] as const) {
    await visit.open(place);
    await page.getByText(shown).first().waitFor();
    expect([place, await visit.findings(place.replace('/', '-'))]).toEqual([place, []]);
  }
  expect(visit.complaints.filter((text) => !text.includes('/explain/of-nobody'))).toEqual([]);
});

test('the keyboard alone leads from page to page', async () => {
  await using visit = await Visit.of(world, 'viewer');
  const { page } = visit;
  await page.getByText('live · r').waitFor();
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate('document.activeElement.textContent')) === 'Requests') break;
  }
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Requests' }).waitFor();
  expect(visit.complaints).toEqual([]);
});

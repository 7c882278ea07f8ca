import { eventually, startNats } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runRegistry, yamlOf } from './registry-world.ts';

type World = Awaited<ReturnType<typeof runRegistry>>;
let nats: Awaited<ReturnType<typeof startNats>>;
let world: World;
const by = (author: string, message: string) => ({ 'x-sluice-author': author, 'x-sluice-message': message });
const consumer = (key: string) =>
  `${yamlOf(1)}consumers:\n- username: c\n  keyauth_credentials:\n  - id: 3747d795-d802-569b-9ec3-e6a50a106a9d\n    key: ${key}\n`;

/** r1 one service, r2 two, r3 a secret and one service, r4 the same by hand with another secret. */
beforeAll(async () => {
  nats = await startNats();
  world = await runRegistry(nats.url, { env: { HISTORY_GENERATIONS: '100' } });
  await world.postYaml(yamlOf(1), '/config', by('ann', 'a first one'));
  await world.postYaml(yamlOf(2), '/config', by('bob', encodeURI('zwei für alle')));
  await world.postYaml(consumer('canary-key-1'), '/config', by('ann', '100% mine'));
  await world.send(
    ...['PUT', '/key-auths/3747d795-d802-569b-9ec3-e6a50a106a9d'],
    { key: 'canary-key-2', consumer: { id: await consumerId() } },
    by('bob', ''),
  );
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const consumerId = async () => (await world.send('GET', '/consumers/c')).body?.id;
const get = (path: string) => world.send('GET', path);
const errorOf = ({ body }: { body: Record<string, unknown> | undefined }) =>
  body?.error as { code: string; message: string; details: Record<string, unknown> } | undefined;

test('the history names versions, authors, reasons and counts, newest first and in pages', async () => {
  const { status, body } = await get('/sluice/history?limit=3');

  expect(status).toBe(200);
  expect(body).toMatchObject({
    live: 4,
    next: '/sluice/history?before=2&limit=3',
    data: [
      { version: 4, author: 'bob', counts: { added: 0, changed: 1, removed: 0 }, rollbackOf: null },
      { version: 3, author: 'ann', message: '100% mine', counts: { added: 2, changed: 0, removed: 2 } },
      { version: 2, author: 'bob', message: 'zwei für alle', counts: { added: 2 } },
    ],
  });
  expect((await get(`${body?.next}`)).body).toMatchObject({ data: [{ version: 1 }], next: null });
});

test('a version tells what it changed by entity and field, and no secret', async () => {
  const { body } = await get('/sluice/history/r4');

  expect(body).toMatchObject({ version: 4, counts: { changed: 1 }, changesLeftOut: 0 });
  expect(body?.changes).toMatchObject([
    {
      ...{ op: 'changed', kind: 'keyauth_credentials', of: { consumer: 'c' } },
      fields: [{ field: 'key', before: '[redacted]', after: '[redacted]' }],
    },
  ]);
  const whole = await get('/sluice/history/3/config');
  expect(whole.body?.config).toContain("key: '[redacted]'");
  expect(whole.body?.config).toContain('name: service-0');
  expect(JSON.stringify([body, whole.body])).not.toContain('canary');
});

test('two versions are compared in both directions, and one with the live configuration', async () => {
  const forth = (await get('/sluice/diff?from=1&to=2')).body;
  const back = (await get('/sluice/diff?from=2&to=1')).body;
  const live = (await get('/sluice/diff?from=4')).body;

  expect(forth).toMatchObject({ from: 1, to: 2, counts: { added: 2, removed: 0 } });
  expect(back).toMatchObject({ from: 2, to: 1, counts: { added: 0, removed: 2 } });
  expect(live).toMatchObject({ from: 4, to: 4, changes: [] });
});

test('a document is compared with the live configuration and changes nothing', async () => {
  const same = await world.postYaml(consumer('canary-key-2'), '/sluice/diff');
  const other = await world.postYaml(yamlOf(1, 'other.test'), '/sluice/diff');
  const wrong = await world.postYaml(yamlOf(1).replace('paths', 'pathz'), '/sluice/diff');

  expect(await same.json()).toMatchObject({ from: 4, changes: [] });
  expect(await other.json()).toMatchObject({
    counts: { added: 0, changed: 1, removed: 2 },
    changes: expect.arrayContaining([
      expect.objectContaining({
        name: 'service-0',
        fields: [{ field: 'host', before: 'upstream.test', after: 'other.test' }],
      }),
    ]),
  });
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({ error: { code: 'config_invalid' } });
  expect((await get('/sluice/history')).body).toMatchObject({ live: 4 });
});

test('an editor is told the same of a document, and what is wrong with one that is none', async () => {
  const [fine, bad] = [yamlOf(1, 'other.test'), yamlOf(1).replace('paths', 'pathz')];
  const told = async (path: string, text: string) =>
    (await (await world.postYaml(text, path)).json()) as Record<string, unknown>;
  const [checked, wrong] = [await told('/sluice/check', fine), await told('/sluice/check', bad)];
  const { from, to: _, ...compared } = await told('/sluice/diff', fine);
  const refused = (await told('/sluice/diff', bad)).error as { details: { problems: unknown[] } };
  const { problems } = refused.details;

  expect(checked).toEqual({ valid: true, version: from, problems: [], ...compared });
  expect(wrong).toEqual({ valid: false, version: 4, problems, warnings: [] });
  expect(problems[0]).toMatchObject({ path: 'services[0].routes[0].pathz', message: 'unknown field' });
});

test.each([
  ['GET', '/sluice/history/5', undefined, 404, 'generation_unknown', 'the newest is r4'],
  ['GET', '/sluice/history/0', undefined, 404, 'generation_unknown', 'r0'],
  ['GET', '/sluice/history/newest', undefined, 400, 'invalid_request', 'such as r12'],
  ['GET', '/sluice/history/9/config', undefined, 404, 'generation_unknown', 'r9'],
  ['GET', '/sluice/history?limit=0', undefined, 400, 'invalid_request', 'limit'],
  ['GET', '/sluice/diff', undefined, 400, 'invalid_request', 'from'],
  ['GET', '/sluice/diff?from=1&to=99', undefined, 404, 'generation_unknown', 'r99'],
  ['POST', '/sluice/diff', {}, 400, 'invalid_request', 'POST /config'],
  ['POST', '/sluice/rollback', { version: 'x' }, 400, 'invalid_request', 'version'],
  ['POST', '/sluice/rollback', { version: 77 }, 404, 'generation_unknown', 'r77'],
  ['POST', '/sluice/rollback', { version: 0 }, 404, 'generation_unknown', 'begin with r1'],
] as const)('%s %s with %j answers %d in our own form', async (method, path, sent, status, code, words) => {
  const answer = await world.send(method, path, sent);

  expect(answer.status).toBe(status);
  expect(errorOf(answer)).toMatchObject({ code, details: {} });
  expect(errorOf(answer)?.message).toContain(words);
});

test('a rollback is a new version that holds what the earlier one held, answered as POST /config and told to the audit', async () => {
  const stale = { 'x-sluice-expected-generation': 'r3' };
  const late = await world.send('POST', '/sluice/rollback', { version: 2 }, stale);
  expect([late.status, errorOf(late)?.code]).toEqual([409, 'generation_stale']);

  const sent = { version: 'r2', message: 'r3 was a mistake' };
  const done = await world.send('POST', '/sluice/rollback', sent, { 'x-sluice-author': 'cat' });

  expect(done.status).toBe(201);
  expect(done.headers.get('x-sluice-generation')).toBe('r5');
  expect(Object.keys(done.body ?? {})).toEqual(['services', 'routes']);
  const digests = (await get('/sluice/history')).body?.data as { digest: string; rollbackOf: number }[];
  expect(digests[0]).toMatchObject({ author: 'cat', message: 'r3 was a mistake', rollbackOf: 2 });
  expect((await get('/sluice/diff?from=2&to=5')).body).toMatchObject({ changes: [] });
  // And forth again: the secret that was censored on the way is the one that it was.
  await world.send('POST', '/sluice/rollback', { version: 4 });
  const keys = (await get('/consumers/c/key-auth')).body?.data;
  expect(keys).toMatchObject([{ key: 'canary-key-2' }]);
  const again = await world.send('POST', '/sluice/rollback', { version: 4 });
  expect(again.headers.get('x-sluice-generation')).toBe('r6'); // nothing to do
});

test('given NATS is gone, then it is said that nothing can be read, and nothing is rolled back', async () => {
  await nats.kill();

  for (const ask of [
    () => get('/sluice/history'),
    () => world.send('POST', '/sluice/rollback', { version: 1 }),
  ])
    await eventually(async () => {
      const answer = await ask();
      expect([answer.status, errorOf(answer)?.code]).toEqual([503, 'history_unavailable']);
      expect(answer.headers.get('retry-after')).toBe('1');
    });
});

import { configCanary, configOffered, edgeTraffic } from '@sluice/contracts';
import { Bus } from '@sluice/service-kit';
import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare, whatIsWorse } from '../src/canary/judge.ts';
import { edgesSeen, runEdge, runRegistry, yamlOf } from './registry-world.ts';

const side = (edges: number, requests: number, more: object = {}) => ({
  ...{ edges, requests, refused: 0, failed: 0, p99Us: 10_000, ...more },
});

test.each([
  ['as good as the others', side(1, 1000), side(3, 3000), undefined],
  [
    'more failures',
    side(1, 100, { failed: 5 }),
    side(3, 300),
    '5 % of its requests failed, 0 % of the others',
  ],
  ['failures like the others', side(1, 100, { failed: 5 }), side(3, 300, { failed: 15 }), undefined],
  ['too few requests to tell', side(1, 19, { failed: 19 }), side(3, 300), undefined],
  [
    'nothing but refusals',
    side(1, 100, { refused: 100 }),
    side(3, 300),
    '100 % of its requests were refused',
  ],
  [
    'a much longer p99',
    side(1, 100, { p99Us: 90_000 }),
    side(3, 300),
    'its p99 is 90 ms, that of the others 10 ms',
  ],
  ['a longer p99 of few', side(1, 99, { p99Us: 90_000 }), side(3, 300), undefined],
  ['twice a short p99', side(1, 100, { p99Us: 30_000 }), side(3, 300), undefined],
])('given %s, then the judgement is so', (_what, candidate, others, words) => {
  const worse = whatIsWorse({ candidate, others }, 20);
  if (words === undefined) expect(worse).toBeUndefined();
  else expect(worse).toContain(words);
});

test('both sides are summed up over their edges, with the slowest p99', () => {
  const total = { name: 'all', requests: 10, refused: 1, failed: 2, p50Us: 1, p99Us: 5 };
  const of = (instance: string, p99Us: number) => ({
    ...{ instance, spanMs: 1, tenants: [], routes: [], refusals: [], total: { ...total, p99Us } },
  });
  const { candidate, others } = compare([of('a', 5), of('b', 7), of('c', 6)], ['a']);
  expect(candidate).toEqual({ edges: 1, requests: 10, refused: 1, failed: 2, p99Us: 5 });
  expect(others).toEqual({ edges: 2, requests: 20, refused: 2, failed: 4, p99Us: 7 });
});

// Edges that follow the log and take up every offer, with as many requests as they are told to have had.
let nats: Awaited<ReturnType<typeof startNats>>;
let world: Awaited<ReturnType<typeof runRegistry>>;
const disposables: AsyncDisposable[] = [];
const served = new Map<string, string>();
const requests = { 'edge-1': 50, 'edge-2': 50 };
const events: { action: string; payload: Record<string, unknown> }[] = [];
const LIVE = yamlOf(1);
beforeAll(async () => {
  nats = await startNats();
  world = await runRegistry(nats.url);
  for (const instance of ['edge-1', 'edge-2'] as const) {
    const edge = await runEdge(nats.url, instance, { candidate: () => served.get(instance) });
    edge.bus.on(configOffered, ({ id, edges }) =>
      edges.includes(instance) ? served.set(instance, id) : served.delete(instance),
    );
    edge.bus.answer(edgeTraffic, () => ({
      ...{ instance, spanMs: 1000, tenants: [], routes: [], refusals: [] },
      total: { name: 'all', requests: requests[instance], refused: 0, failed: 0, p50Us: 1, p99Us: 2 },
    }));
    disposables.push(edge);
  }
  await world.postYaml(LIVE);
  await edgesSeen(world, 2);
  world.bus.on(configCanary, ({ payload }, { subject }) =>
    events.push({ action: subject.split('.').at(-1) ?? '', payload }),
  );
});
afterAll(async () => {
  for (const one of disposables) await one[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const begin = (config: string, more: object = {}) =>
  world.send('POST', '/sluice/canary', { config, forSeconds: 1, ...more }, { 'x-sluice-author': 'ann' });
const current = async () =>
  (await world.send('GET', '/sluice/canary')).body?.canary as Record<string, unknown> | null;
const ended = (phase: string) => eventually(async () => expect(await current()).toMatchObject({ phase }));
const codeOf = (answer: { body: Record<string, unknown> | undefined }) =>
  (answer.body?.error as { code: string; message: string } | undefined)?.code;

test('given what cannot be tried, then it is said why, and no edge is offered anything', async () => {
  const jwt = `${LIVE}consumers:\n- username: c\n`;
  expect(await begin(LIVE)).toMatchObject({ status: 409, body: { error: { code: 'canary_unchanged' } } });
  expect(codeOf(await begin(jwt))).toBe('canary_not_possible');
  expect(codeOf(await begin(`${LIVE}plugins: [{ name: jwt }]\n`))).toBe('canary_not_possible');
  expect(codeOf(await begin('_format_version: "3.0"\nnonsense: 1\n'))).toBe('config_invalid');
  expect(codeOf(await begin(LIVE, { share: 1 }))).toBe('invalid_request');
  expect(codeOf(await world.send('DELETE', '/sluice/canary'))).toBe('canary_unknown');
  expect(await current()).toBeNull();
  expect(served.size).toBe(0);
});

test('given a candidate that does no worse, then it goes live by itself, and events and audit say so', async () => {
  const begun = await begin(yamlOf(2), { share: 0.5, message: 'two of them' });
  expect(begun).toMatchObject({
    status: 202,
    body: { canary: { phase: 'starting', base: 1, edges: ['edge-1'], author: 'ann' } },
  });
  expect(codeOf(await begin(yamlOf(3)))).toBe('canary_running');

  await ended('promoted');

  expect(await current()).toMatchObject({ version: 2, candidate: { requests: 50 }, others: { edges: 1 } });
  const { body } = await world.send('GET', '/sluice/history/2');
  expect(body).toMatchObject({ author: 'ann', message: 'two of them', counts: { added: 2 } });
  await eventually(() => expect(served.size).toBe(0));
  await eventually(() => expect(events.map(({ action }) => action)).toEqual(['started', 'promoted']));
  const { lastSeq } = await world.jetstream.streamInfo('AUDIT');
  const records = await Promise.all(
    Array.from({ length: lastSeq }, (_, at) => world.jetstream.readAt('AUDIT', at + 1)),
  );
  const told = records.map((one) => JSON.parse(Buffer.from(one?.data ?? []).toString()).payload);
  const actions = told.filter(({ outcome }) => outcome === 'done').map(({ action }) => action);
  const expected = ['config.committed', 'canary.started', 'canary.promoted', 'config.committed'];
  expect(actions.toSorted()).toEqual(expected.toSorted()); // and not the request that began it
  const { messages } = await world.jetstream.streamInfo('CONFIG_SNAPSHOTS');
  expect(messages).toBe(0); // the candidate is removed
});

test('given a commit of somebody else, or an order to stop, then the candidate is dropped', async () => {
  await begin(yamlOf(3));
  await world.postYaml(yamlOf(2, 'other.test'));
  await ended('rolled-back');
  expect(await current()).toMatchObject({ reason: 'r3 went live meanwhile' });

  await begin(yamlOf(4), { forSeconds: 60 });
  const aborted = await world.send('DELETE', '/sluice/canary', undefined, { 'x-sluice-author': 'bob' });
  expect(aborted.body).toMatchObject({ canary: { phase: 'rolled-back', reason: 'aborted by bob' } });
  await eventually(() => expect(served.size).toBe(0));
  expect((await world.send('GET', '/sluice/history')).body).toMatchObject({ live: 3 });
});

test('given somebody who has seen enough, then the candidate goes live at once, and it is told who said so', async () => {
  const promote = () => world.send('POST', '/sluice/canary/promote', undefined, { 'x-sluice-author': 'bob' });
  expect(await promote()).toMatchObject({ status: 404, body: { error: { code: 'canary_unknown' } } });
  await begin(yamlOf(4), { forSeconds: 3600, message: 'four of them' });
  expect(await promote()).toMatchObject({ status: 409, body: { error: { code: 'canary_starting' } } });
  await ended('running');
  expect(await promote()).toMatchObject({
    status: 200,
    body: { canary: { phase: 'promoted', version: 4, reason: 'promoted by bob' } },
  });
  const { body } = await world.send('GET', '/sluice/history/4');
  expect(body).toMatchObject({ author: 'ann', message: 'four of them' });
  expect(await promote()).toMatchObject({ status: 404 });
});

test('given hardly a request, then the candidate is dropped at the end; another registry does not begin one meanwhile', async () => {
  requests['edge-1'] = 3;
  await begin(yamlOf(3));
  const other = Bus.open({ url: nats.url, name: 'other', logger: silentLogger() });
  await other.connection;
  await using _ = { [Symbol.asyncDispose]: () => other.close() };

  await ended('rolled-back');
  expect((await current())?.reason).toContain('3 requests in all that time are too few');

  const offer = { id: 'x', base: { epoch: 'e', version: 1 }, instance: 'registry-2', edges: ['edge-9'] };
  other.publish(configOffered, { ...offer, leaseMs: 60_000 });
  const live = yamlOf(4);
  await eventually(async () => expect(codeOf(await begin(live))).toBe('canary_running')); // not canary_unchanged
});

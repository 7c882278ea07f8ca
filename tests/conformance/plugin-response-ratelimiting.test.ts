import { type CallOptions, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, header, headersLike, routesWith, routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'];
const videos = (limit: number): Document => ({ limits: { videos: { hour: limit } } });
const keyed = (name: string, limit_by: string) =>
  routeWith(name, [
    { name: 'key-auth' },
    { name: 'response-ratelimiting', config: { ...videos(1), limit_by } },
  ]);

let world: World;
beforeAll(async () => {
  world = await World.start({ TRUSTED_IPS: '127.0.0.1' });
  const routes = [
    ...routesWith('response-ratelimiting', {
      ...Object.fromEntries(PERIODS.map((period) => [period, { limits: { videos: { [period]: 9 } } }])),
      several: { limits: { videos: { hour: 10, day: 20 }, images: { hour: 5 } } },
      two: videos(2),
      named: { ...videos(9), header_name: 'x-cost' },
      blocking: { ...videos(2), block_on_first_violation: true },
      hidden: { ...videos(1), hide_client_headers: true },
      tolerant: { ...videos(9), fault_tolerant: false, policy: 'local' },
      redis: { ...videos(9), policy: 'redis', redis: { host: 'localhost' } },
      ip: { ...videos(1), limit_by: 'ip' },
    }),
    keyed('consumer', 'consumer'),
    keyed('credential', 'credential'),
  ];
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [
      { username: 'alice', keyauth_credentials: [{ key: 'alice-1' }, { key: 'alice-2' }] },
      { username: 'bob', keyauth_credentials: [{ key: 'bob-1' }] },
    ],
  });
  world.upstream.answerWith('one', { headers: { 'X-Kong-Limit': 'videos' } });
  world.upstream.answerWith('costs', { headers: { 'X-Kong-Limit': 'videos=2, images' } });
  world.upstream.answerWith('named', { headers: { 'X-Cost': 'videos=3', 'X-Kong-Limit': 'videos' } });
});
afterAll(() => world[Symbol.asyncDispose]());

const shown = (path: string, ask?: CallOptions) =>
  world.ask(path, ask).then((answer) => headersLike(answer, 'x-ratelimit-'));

test.each(PERIODS)(
  'response-ratelimiting limits: given one per %s, then its headers are sent',
  async (period) => {
    expect(await shown(`/${period}`)).toEqual({
      [`x-ratelimit-limit-videos-${period}`]: '9',
      [`x-ratelimit-remaining-videos-${period}`]: '9',
    });
  },
);

test('response-ratelimiting: given an answer with costs, then they are counted and the header is taken away', async () => {
  const first = await world.through('/several?script=costs');
  expect(first.seen.headers).toMatchObject({
    'x-ratelimit-remaining-videos': '10',
    'x-ratelimit-remaining-images': '5',
  });
  expect(first.answer.headers['x-kong-limit']).toBeUndefined();
  expect(headersLike(first.answer, 'x-ratelimit-')).toEqual({
    'x-ratelimit-limit-videos-hour': '10',
    'x-ratelimit-remaining-videos-hour': '8',
    'x-ratelimit-limit-videos-day': '20',
    'x-ratelimit-remaining-videos-day': '18',
    'x-ratelimit-limit-images-hour': '5',
    'x-ratelimit-remaining-images-hour': '4',
  });
  await eventually(async () => {
    const { seen } = await world.through('/several');
    expect(seen.headers['x-ratelimit-remaining-videos']).toBe('8');
  });
});

test('response-ratelimiting: given a used up limit, then a costly answer becomes 429 and others pass', async () => {
  for (let i = 0; i < 2; i++) expect((await world.ask('/two?script=one')).status).toBe(200);
  const refused = await world.ask('/two?script=one');
  expect({ status: refused.status, text: refused.text }).toEqual({ status: 429, text: '' });
  expect((await world.ask('/two')).status).toBe(200);
});

test('response-ratelimiting header_name: given x-cost, then costs are read from it', async () => {
  const answer = await world.ask('/named?script=named');
  expect(answer.headers['x-ratelimit-remaining-videos-hour']).toBe('6');
  expect(answer.headers['x-cost']).toBeUndefined();
});

test('response-ratelimiting block_on_first_violation: given a used up limit, then the upstream is not asked', async () => {
  for (let i = 0; i < 2; i++) await world.ask('/blocking?script=one');
  const before = world.upstream.seen.length;
  const answer = await world.ask('/blocking');
  expectError(answer, 429, "API rate limit exceeded for 'videos'");
  expect(world.upstream.seen).toHaveLength(before);
});

test('response-ratelimiting hide_client_headers: given true, then no answer tells the limits', async () => {
  expect(await shown('/hidden?script=one')).toEqual({});
  expect((await world.ask('/hidden?script=one')).status).toBe(429);
});

test.each(['tolerant', 'redis'])('response-ratelimiting fault_tolerant, policy: /%s counts', async (name) => {
  expect(await shown(`/${name}?script=one`)).toMatchObject({ 'x-ratelimit-remaining-videos-hour': '8' });
  expect(await shown(`/${name}?script=one`)).toMatchObject({ 'x-ratelimit-remaining-videos-hour': '7' });
});

const key = (name: string) => header('apikey', name);
const from = (address: string) => header('x-real-ip', address);
type Row = readonly [
  by: string,
  given: string,
  path: string,
  first: CallOptions,
  next: CallOptions,
  shares: boolean,
];
test.each<Row>([
  ['consumer', 'another consumer', '/consumer', key('alice-1'), key('bob-1'), false],
  ['consumer', 'another key of the consumer', '/consumer', key('alice-1'), key('alice-2'), true],
  ['credential', 'another key of the consumer', '/credential', key('alice-1'), key('alice-2'), false],
  ['ip', 'another address', '/ip', from('10.0.0.1'), from('10.0.0.2'), false],
  ['ip', 'the same address', '/ip', from('10.0.0.3'), from('10.0.0.3'), true],
])('response-ratelimiting limit_by %s: given %s, then budgets are shared or not', async (...row) => {
  const [, , path, first, next, shares] = row;
  await world.ask(`${path}?script=one`, first);
  expect((await world.ask(`${path}?script=one`, next)).status).toBe(shares ? 429 : 200);
});

import type { Answer, CallOptions } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, header, headersLike, routesWith, routeWith } from './plugin-cases.ts';
import { World } from './world.ts';

const ORIGINS = ['http://localhost:3000', 'http://localhost:3003', 'http://localhost:3005'];
const METHODS = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT';
const CONFIGS = {
  plain: {},
  star: { origins: ['*'] },
  'star-with-credentials': { origins: ['*'], credentials: true },
  'star-among': { origins: ['http://a.test', '*'] },
  one: { origins: ['http://a.test'] },
  several: { origins: ORIGINS, credentials: true, max_age: 3600 },
  ports: { origins: ['http://a.test:80', 'https://b.test'] },
  regex: { origins: ['.*\\.c\\.test', 'https?://d\\.test(:[0-9]+)?'] },
  methods: { methods: ['GET', 'POST'] },
  headers: { headers: ['X-One', 'X-Two'] },
  exposed: { exposed_headers: ['X-One', 'X-Two'] },
  private: { private_network: true },
  continue: { preflight_continue: true },
  'no-absent': { allow_origin_absent: false },
  'upstream-origin': { origins: ['http://a.test', 'http://b.test'] },
};

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = [
    ...routesWith('cors', CONFIGS),
    routeWith('jwt', [{ name: 'cors', config: CONFIGS.several }, { name: 'jwt' }]),
  ];
  await world.load({ services: [world.service('echo', routes)] });
  world.upstream.answerWith('own', {
    headers: { 'Access-Control-Allow-Origin': 'http://upstream', Vary: 'Accept' },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const preflight = (origin: string, more: Record<string, string> = {}): CallOptions => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'GET', ...more },
});
const from = (origin: string): CallOptions => header('origin', origin);
const corsOf = (answer: Answer) => ({
  ...headersLike(answer, 'access-control-'),
  ...headersLike(answer, 'vary'),
});
/** Expected CORS headers by the part of their name after `Access-Control-`; `vary` stands for itself. */
const expectCors = (answer: Answer, wanted: Record<string, string>): void => {
  const names = Object.entries(wanted).map(([name, value]) => [
    name === 'vary' ? name : `access-control-${name}`,
    value,
  ]);
  expect(corsOf(answer)).toEqual(Object.fromEntries(names));
};
const STAR = { 'allow-origin': '*' };
const only = (origin: string) => ({ 'allow-origin': origin, vary: 'Origin' });
const privately = { 'access-control-request-private-network': 'true' };
const asking = { 'access-control-request-headers': 'X-Asked, X-Too' };

type Row = readonly [
  field: string,
  given: string,
  path: string,
  ask: CallOptions,
  cors: Record<string, string>,
];
test.each<Row>([
  ['origins', 'none set', '/plain', preflight('http://x.test'), STAR],
  ['origins', '*', '/star', preflight('http://x.test'), STAR],
  ['origins', 'one, asked by another', '/one', preflight('http://x.test'), only('http://a.test')],
  ['origins', 'several, asked by one', '/ports', preflight('https://b.test'), only('https://b.test')],
  ['origins', 'no match (vector: 27)', '/ports', preflight('http://evil'), { vary: 'Origin' }],
  [
    'origins',
    'a default port written out',
    '/ports',
    preflight('https://b.test:443'),
    only('https://b.test'),
  ],
  ['origins', 'a default port in the entry', '/ports', preflight('http://a.test'), only('http://a.test')],
  ['origins', 'another port', '/ports', preflight('http://a.test:81'), { vary: 'Origin' }],
  [
    'origins',
    'a pattern for the host',
    '/regex',
    preflight('https://w.c.test:99'),
    only('https://w.c.test:99'),
  ],
  [
    'origins',
    'a pattern for the whole origin',
    '/regex',
    preflight('http://d.test:8080'),
    only('http://d.test:8080'),
  ],
  ['origins', 'a pattern is anchored', '/regex', preflight('http://d.test.evil'), { vary: 'Origin' }],
  ['origins', '* in a longer list', '/star-among', preflight('http://x.test'), { ...STAR, vary: 'Origin' }],
  [
    'credentials',
    '* and an origin',
    '/star-with-credentials',
    preflight('http://x.test'),
    { ...only('http://x.test'), 'allow-credentials': 'true' },
  ],
  [
    'headers',
    'asked for',
    '/plain',
    preflight('http://x.test', asking),
    { ...STAR, 'allow-headers': 'X-Asked, X-Too' },
  ],
  [
    'headers',
    'set',
    '/headers',
    preflight('http://x.test', asking),
    { ...STAR, 'allow-headers': 'X-One,X-Two' },
  ],
  [
    'methods',
    'GET and POST',
    '/methods',
    preflight('http://x.test'),
    { ...STAR, 'allow-methods': 'GET,POST' },
  ],
  [
    'private_network',
    'asked for',
    '/private',
    preflight('http://x.test', privately),
    { ...STAR, 'allow-private-network': 'true' },
  ],
  ['private_network', 'not asked for', '/private', preflight('http://x.test'), STAR],
  ['private_network', 'false', '/plain', preflight('http://x.test', privately), STAR],
  [
    'max_age',
    'vector: 26',
    '/several',
    preflight('http://localhost:3000'),
    { ...only('http://localhost:3000'), 'allow-credentials': 'true', 'max-age': '3600' },
  ],
])('cors %s: given %s, when %s gets a preflight, then it is answered as in Kong', async (...row) => {
  const [, , path, ask, cors] = row;
  const answer = await world.ask(path, ask);
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '' });
  expect(answer.headers['content-length']).toBe('0');
  expect(answer.headers['x-upstream']).toBeUndefined();
  expectCors(answer, { 'allow-methods': METHODS, ...cors });
});

test.each<Row>([
  ['origins', 'none set', '/plain', from('http://x.test'), STAR],
  ['origins', 'one, asked by another', '/one', from('http://x.test'), only('http://a.test')],
  ['origins', 'one, no Origin', '/one', {}, only('http://a.test')],
  ['origins', 'several and no match', '/ports', from('http://evil'), { vary: 'Origin' }],
  ['origins', 'several and no Origin', '/ports', {}, { vary: 'Origin' }],
  [
    'origins',
    "an upstream's own, no match",
    '/upstream-origin?script=own',
    from('http://x'),
    { vary: 'Accept, Origin' },
  ],
  [
    'origins',
    "an upstream's own, a match",
    '/upstream-origin?script=own',
    from('http://b.test'),
    { 'allow-origin': 'http://b.test', vary: 'Accept, Origin' },
  ],
  ['credentials', '* and no Origin', '/star-with-credentials', {}, STAR],
  [
    'credentials',
    'a match',
    '/several',
    from('http://localhost:3003'),
    { ...only('http://localhost:3003'), 'allow-credentials': 'true' },
  ],
  ['exposed_headers', 'two', '/exposed', from('http://x.test'), { ...STAR, 'expose-headers': 'X-One,X-Two' }],
  ['allow_origin_absent', 'true, no Origin', '/plain', {}, STAR],
  ['allow_origin_absent', 'false, no Origin', '/no-absent', {}, {}],
  ['allow_origin_absent', 'false, an Origin', '/no-absent', from('http://x.test'), STAR],
  ['preflight_continue', 'true', '/continue', preflight('http://x.test'), {}],
  ['preflight_continue', 'true, no preflight', '/continue', from('http://x.test'), STAR],
  [
    '(preflight)',
    'OPTIONS without request-method',
    '/plain',
    { method: 'OPTIONS', ...from('http://x') },
    STAR,
  ],
])('cors %s: given %s, when %s is forwarded, then the answer has its headers', async (...row) => {
  const [, , path, ask, cors] = row;
  const { answer } = await world.through(path, ask);
  expectCors(answer, cors);
});

test('cors: given a preflight on a route with jwt, then it needs no token (vector: 26)', async () => {
  const answer = await world.ask('/jwt', preflight('http://localhost:3000'));
  expect(answer.status).toBe(200);
  const refused = await world.ask('/jwt', from('http://localhost:3000'));
  expect(refused.status).toBe(401);
  expectCors(refused, { ...only('http://localhost:3000'), 'allow-credentials': 'true' });
});

test('cors: given a global instance and no route, then the 404 has CORS headers (vector: 28)', async () => {
  await world.load({ plugins: [{ name: 'cors', config: { origins: ORIGINS } }] });
  const answer = await world.ask('/x', from('http://localhost:3005'));
  expectError(answer, 404, 'no Route matched with those values');
  expectCors(answer, only('http://localhost:3005'));
});

import type { ChildProcess } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { hashPassword } from '@sluice/gateway-config';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAuth } from './auth-process.ts';
import {
  type Answer,
  call,
  type Echo,
  EdgeWorld,
  type Entities,
  idOf,
  plugin,
  route,
  service,
  stored,
  Upstream,
} from './edge-world.ts';

const ALICE = idOf('alice');
const GUEST = idOf('guest');
const person = (id: string, username: string) => ({ ...stored, id, username, custom_id: null });
const of = (id: string) => ({ consumer: { id } });
const apiKey = { ...stored, ...of(ALICE), id: idOf('key'), key: 'k-alice', ttl: null };

const configuration = (upstream: Upstream): Entities => {
  const to = service('echo', upstream.url);
  const on = (name: string) => ({ route: { id: idOf(name) } });
  const hides = { hide_credentials: true };
  const either = { anonymous: 'guest' };
  return {
    services: [to],
    routes: ['key', 'basic', 'hmac', 'gold', 'visit', 'both'].map((name) =>
      route(name, to, { paths: [`/${name}`] }),
    ),
    consumers: [person(ALICE, 'alice'), person(GUEST, 'guest')],
    keyauth_credentials: [apiKey],
    basicauth_credentials: [
      { ...stored, ...of(ALICE), id: idOf('basic'), username: 'al', password: hashPassword('pw', ALICE) },
    ],
    hmacauth_credentials: [{ ...stored, ...of(ALICE), id: idOf('hmac'), username: 'al', secret: 'hush' }],
    acls: [
      { ...stored, ...of(ALICE), id: idOf('acl-1'), group: 'silver' },
      { ...stored, ...of(GUEST), id: idOf('acl-2'), group: 'visitors' },
    ],
    plugins: [
      plugin('key-auth', { ...hides, key_in_body: true }, on('key')),
      plugin('basic-auth', {}, on('basic')),
      plugin('hmac-auth', { validate_request_body: true, enforce_headers: ['date', 'digest'] }, on('hmac')),
      plugin('key-auth', {}, on('gold')),
      plugin('acl', { allow: ['gold'] }, on('gold')),
      plugin('key-auth', either, on('visit')),
      plugin('basic-auth', either, on('visit')),
      plugin('acl', { allow: ['visitors', 'silver'] }, on('visit')),
      plugin('key-auth', {}, on('both')),
      plugin('basic-auth', {}, on('both')),
    ].map((entity, i) => ({ ...entity, id: idOf(`plugin-${i}`) })),
  };
};

let upstream: Upstream;
let world: EdgeWorld;
let auth: ChildProcess;
beforeAll(async () => {
  upstream = await Upstream.start();
  world = await EdgeWorld.start(configuration(upstream));
  auth = await startAuth(world.nats.url);
});
afterAll(async () => {
  auth.kill('SIGKILL');
  await world[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const KEY = { apikey: 'k-alice' };
const BASIC = { authorization: `Basic ${Buffer.from('al:pw').toString('base64')}` };
const ask = (path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
  call(world.port, path, { headers, ...(body === undefined ? {} : { method: 'POST', body }) });
const told = (answer: Answer) => answer.json<Echo>().headers;

const AS_ALICE = { 'x-consumer-id': ALICE, 'x-consumer-username': 'alice' };

test('key-auth: given a key in header, query or form, then the upstream sees who it is and not the key', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const answers = [
    await ask('/key?a=1', KEY),
    await ask('/key?apikey=k-alice&a=1'),
    await ask('/key?a=1', form, 'apikey=k-alice&b=2'),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(told(answer)).toMatchObject({ ...AS_ALICE, 'x-credential-identifier': apiKey.id });
    expect(answer.text).not.toContain('k-alice');
    expect(answer.json<Echo>().url).toBe('/key?a=1');
  }
  expect(answers[2]?.json<Echo>().body).toBe('b=2');
});

test.each([
  ['/key', {}, 'No API key found in request'],
  ['/key', { apikey: 'nobody' }, 'Unauthorized'],
  ['/key?apikey=a&apikey=b', {}, 'Duplicate API key found'],
])('key-auth: given %s with %j, then Kong’s refusal "%s"', async (path, headers, message) => {
  const answer = await ask(path, headers);
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toBe('Key');
  expect(answer.text).toBe(
    `{\n  "message":"${message}",\n  "request_id":"${answer.headers['x-kong-request-id']}"\n}`,
  );
});

test('basic-auth: given user and password, then the upstream sees who it is; a wrong one is refused', async () => {
  const answer = await ask('/basic', BASIC);
  expect(told(answer)).toMatchObject({ ...AS_ALICE, 'x-credential-identifier': 'al' });
  const wrong = await ask('/basic', { authorization: `Basic ${Buffer.from('al:no').toString('base64')}` });
  expect(wrong.status).toBe(401);
  expect(wrong.headers['www-authenticate']).toBe('Basic realm="service"');
});

/** Headers of a POST to /hmac?x=1 as a client signs it. */
const signed = (body: string, secret = 'hush'): Record<string, string> => {
  const date = new Date().toUTCString();
  const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
  const text = `date: ${date}\ndigest: ${digest}\nPOST /hmac?x=1 HTTP/1.1`;
  const signature = createHmac('sha512', secret).update(text).digest('base64');
  const params = `username="al", algorithm="hmac-sha512", headers="date digest request-line"`;
  return { date, digest, authorization: `hmac ${params}, signature="${signature}"` };
};

test('hmac-auth: given a signature over the request, then it counts for this request and this body only', async () => {
  const good = await ask('/hmac?x=1', signed('hello'), 'hello');
  expect(good.status).toBe(200);
  expect(good.json<Echo>().body).toBe('hello');
  expect(told(good)).toMatchObject({ ...AS_ALICE, 'x-credential-identifier': 'al' });

  const refusals = [
    await ask('/hmac?x=1', signed('hello', 'guess'), 'hello'),
    await ask('/hmac?x=2', signed('hello'), 'hello'),
    await ask('/hmac?x=1', signed('hello'), 'hullo'),
  ];
  for (const answer of refusals) {
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('hmac');
    expect(answer.json().message).toBe('HMAC signature does not match');
  }
});

test('acl: given a consumer of another group, then 403', async () => {
  const answer = await ask('/gold', KEY);
  expect(answer.status).toBe(403);
  expect(answer.json().message).toBe('You cannot consume this service');
});

test('with anonymous either plugin is enough, and nobody goes on as the guest with the guest’s groups', async () => {
  for (const headers of [KEY, BASIC]) {
    const seen = told(await ask('/visit', { ...headers, 'x-consumer-groups': 'gold' }));
    expect(seen).toMatchObject({ ...AS_ALICE, 'x-consumer-groups': 'silver' });
    expect(seen).not.toHaveProperty('x-anonymous-consumer');
  }
  const seen = told(await ask('/visit', { apikey: 'nobody' }));
  expect(seen).toMatchObject({
    'x-consumer-username': 'guest',
    'x-anonymous-consumer': 'true',
    'x-consumer-groups': 'visitors',
  });
  expect(seen).not.toHaveProperty('x-credential-identifier');
});

test('without anonymous every plugin must be satisfied', async () => {
  const statuses = [];
  for (const headers of [KEY, BASIC, { ...KEY, ...BASIC }])
    statuses.push((await ask('/both', headers)).status);
  expect(statuses).toEqual([401, 401, 200]);
});

test('given the configuration loses a key and a group, then both are gone from the next request on', async () => {
  expect((await ask('/key', KEY)).status).toBe(200);
  await world.append([
    { op: 'delete', kind: 'keyauth_credentials', id: apiKey.id },
    { op: 'delete', kind: 'acls', id: idOf('acl-2') },
  ]);
  await world.settled();
  expect((await ask('/key', KEY)).status).toBe(401);
  expect((await ask('/visit')).status).toBe(401);
  await world.append([{ op: 'put', kind: 'keyauth_credentials', id: apiKey.id, entity: { ...apiKey } }]);
  await world.settled();
});

test('given auth goes away, then a key that was seen holds, and a signature does not even when it was seen', async () => {
  const headers = signed('hello');
  expect((await ask('/key', KEY)).status).toBe(200);
  expect((await ask('/hmac?x=1', headers, 'hello')).status).toBe(200);
  auth.kill('SIGTERM');
  await once(auth, 'exit');

  expect((await ask('/key', KEY)).status).toBe(200);
  expect((await ask('/hmac?x=1', headers, 'hello')).status).toBe(503);
  expect((await ask('/visit', { apikey: 'never-seen' })).status).toBe(503);
  auth = await startAuth(world.nats.url);
});

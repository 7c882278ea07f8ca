import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { STREAMS } from '@sluice/contracts';
import { Bus, JetStream, readStream } from '@sluice/service-kit';
import { type Answer, Collector, eventually, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { RunningGateway } from './gateway.ts';

/** One for each place that holds a secret, so that a leak says where it comes from. */
const PLACES = [
  ...['nats', 'redis', 'jwtsecret', 'apikey', 'basic', 'transformer', 'hmac', 'certificate'],
  ...['bearer', 'query', 'cookie', 'wrongkey', 'wrongbasic', 'badconfig', 'badyaml', 'badjson', 'duplicate'],
] as const;
const canaryOf = (place: (typeof PLACES)[number]): string => `c4n4ry${place}5e7d`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const configOf = (upstream: string, collector: string): string => `_format_version: "3.0"
services:
- name: echo
  url: ${upstream}
  routes:
  - {name: key, paths: [/key], plugins: [{name: key-auth}]}
  - {name: basic, paths: [/basic], plugins: [{name: basic-auth}]}
  - {name: jwt, paths: [/jwt], plugins: [{name: jwt}]}
  - {name: open, paths: [/open], plugins: [{name: request-transformer, config: {add: {headers: ["Authorization:Bearer ${canaryOf('transformer')}"]}}}]}
plugins:
- {name: rate-limiting, config: {minute: 1000, policy: redis, redis: {host: 127.0.0.1, password: ${canaryOf('redis')}}}}
- {name: opentelemetry, config: {traces_endpoint: "${collector}/v1/traces", headers: {authorization: ${canaryOf('transformer')}}}}
- {name: http-log, config: {http_endpoint: "${collector}/log", headers: {authorization: ${canaryOf('transformer')}}}}
consumers:
- username: someone
  keyauth_credentials: [{key: ${canaryOf('apikey')}}]
  basicauth_credentials: [{username: someone, password: ${canaryOf('basic')}}]
  hmacauth_credentials: [{username: someone, secret: ${canaryOf('hmac')}}]
  jwt_secrets: [{key: issuer-1, secret: ${canaryOf('jwtsecret')}}]
`;

/** HS256, with a claim that tells it apart. */
const tokenWith = (mark: string, secret: string): string => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: 'issuer-1', sub: 'u', mark, exp })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};

const startUpstream = async () => {
  const server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
};

const auditText = async (natsUrl: string): Promise<string> => {
  const bus = Bus.open({ url: natsUrl, name: 'test', part: 'operator', logger: silentLogger() });
  const texts: string[] = [];
  await readStream(new JetStream(bus), STREAMS.AUDIT.name, async (deliveries) => {
    texts.push(...deliveries.map(({ data }) => Buffer.from(data).toString()));
  });
  await bus.close();
  return texts.join('\n');
};

const said = ({ status, headers, text }: Answer): string => `${status} ${JSON.stringify(headers)} ${text}`;

test('given secrets everywhere and the most talkative level, then none is in logs, traces, metrics, answers, decision records, history or audit', async () => {
  const password = canaryOf('nats');
  await using nats = await startNats({
    config: `authorization { users: [ { user: "gateway", password: "${password}" } ] }`,
  });
  await using redis = await startRedis();
  const client = new Redis({ port: redis.port, host: '127.0.0.1' });
  await client.config('SET', 'requirepass', canaryOf('redis'));
  client.disconnect();
  await using collector = await Collector.start();
  await using upstream = await startUpstream();
  const natsUrl = `nats://gateway:${password}@127.0.0.1:${nats.port}`;
  const redisUrl = `redis://:${canaryOf('redis')}@127.0.0.1:${redis.port}`;
  const args = ['--no-demo', '--config', 'none', '--nats', natsUrl, '--redis', redisUrl];
  await using gateway = await RunningGateway.start(args, {
    LOG_LEVEL: 'trace',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_TRACES_SAMPLER: 'parentbased_always_on',
  });

  const answers: string[] = [];
  const post = async (path: string, type: string, body: string): Promise<number> => {
    const answer = await gateway.admin(path, { method: 'POST', headers: { 'content-type': type }, body });
    if (answer.status >= 400) answers.push(said(answer)); // as in Kong, what was written is shown to who wrote it
    return answer.status;
  };
  const get = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
    const answer = await gateway.get(path, headers);
    answers.push(said(answer));
    return answer.status;
  };
  const config = configOf(upstream.url, collector.url);
  expect(await post('/config', 'text/yaml', config)).toBe(201);

  // What is let in, and what is not.
  const bearer = tokenWith(canaryOf('bearer'), canaryOf('jwtsecret'));
  const cookie = `session=${canaryOf('cookie')}`;
  expect(await get('/key', { apikey: canaryOf('apikey'), cookie })).toBe(200);
  expect(await get('/key', { apikey: canaryOf('wrongkey') })).toBe(401);
  expect(await get(`/key?apikey=${canaryOf('wrongkey')}`)).toBe(401);
  expect(await get('/basic', { authorization: `Basic ${base64(`someone:${canaryOf('basic')}`)}` })).toBe(200);
  expect(await get('/basic', { authorization: `Basic ${base64(`someone:${canaryOf('wrongbasic')}`)}` })).toBe(
    401,
  );
  expect(await get('/jwt', { authorization: `Bearer ${bearer}` })).toBe(200);
  expect(await get(`/jwt?jwt=${tokenWith(canaryOf('query'), 'wrong')}`)).toBe(401);
  expect(await get(`/jwt?jwt=${canaryOf('query')}`)).toBe(401);
  expect(await get('/open', { cookie })).toBe(200);
  expect(await get('/nowhere', { authorization: `Bearer ${canaryOf('bearer')}`, cookie })).toBe(404);

  // What an operator gets wrong.
  const wrong = [
    config.replace('keyauth_credentials: [{key:', 'keyauth_credentials: [{colour: 1, key:'),
    config.replace(canaryOf('hmac'), `[${canaryOf('badconfig')}]`),
    config.replace(
      'jwt_secrets: [{',
      `jwt_secrets: [{algorithm: RS256, rsa_public_key: ${canaryOf('badconfig')}, `,
    ),
    `${config}certificates: [{cert: ${canaryOf('certificate')}, key: ${canaryOf('certificate')}}]\n`,
    `_format_version: "3.0"\nconsumers: [{keyauth_credentials: [{key: ${canaryOf('badyaml')}}]\n`,
  ];
  for (const text of wrong) expect(await post('/config', 'text/yaml', text)).toBe(400);
  expect(await post('/config', 'application/json', `{"config": ${canaryOf('badjson')}`)).toBe(400);
  const key = JSON.stringify({ key: canaryOf('duplicate') });
  expect(await post('/consumers/someone/key-auth', 'application/json', key)).toBe(201);
  expect(await post('/consumers/someone/key-auth', 'application/json', key)).toBe(409);

  // What the edge remembers of each request, and what the registry tells of one, of all and of what was changed.
  const decisions = await eventually(async () => {
    const { text } = await gateway.admin('/decisions?limit=100');
    if (!text.includes('"path":"/nowhere"')) throw new Error('the last request has no record yet');
    return text;
  });
  const explained: string[] = [];
  for (const { requestId } of (JSON.parse(decisions) as { data: { requestId: string }[] }).data)
    explained.push((await gateway.admin(`/explain/${requestId}`)).text);
  const history: string[] = [];
  for (const path of ['', '/1', '/2', '/3', '/2/config'])
    history.push((await gateway.admin(`/sluice/history${path}`)).text);
  history.push((await gateway.admin('/sluice/diff?from=1')).text);

  // What goes wrong by itself.
  await redis.kill();
  await get('/open');
  await nats.kill();
  await get('/jwt', { authorization: `Bearer ${tokenWith(canaryOf('bearer'), canaryOf('jwtsecret'))}` });
  await redis.start();
  await nats.start();
  await eventually(async () => (await gateway.admin('/status')).status === 200);

  const audit = await eventually(async () => {
    const text = await auditText(natsUrl);
    if (!text.includes('keyauth_credentials')) throw new Error('the commits are not in the audit yet');
    return text;
  });
  for (const path of ['/v1/traces', '/log']) await eventually(() => collector.requests(path).length > 0);
  const logs = join(gateway.dataDir, 'logs');
  const places: Readonly<Record<string, string>> = {
    logs: readdirSync(logs)
      .map((name) => readFileSync(join(logs, name), 'utf8'))
      .join('\n'),
    traces: collector
      .requests()
      .map(({ body }) => body.toString('latin1'))
      .join('\n'),
    metrics: (await gateway.admin('/metrics')).text,
    status: (await gateway.admin('/status')).text,
    answers: answers.join('\n'),
    audit,
    decisions,
    explained: explained.join('\n'),
    history: history.join('\n'),
  };
  const encoded = (['basic', 'wrongbasic'] as const).map((place) => base64(`someone:${canaryOf(place)}`));
  const secrets = [...PLACES.map(canaryOf), ...encoded, bearer];
  for (const [place, text] of Object.entries(places)) {
    expect(text.length, place).toBeGreaterThan(200);
    for (const secret of secrets) expect(text.includes(secret), `${secret} is in ${place}`).toBe(false);
  }
});

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { call, eventually, freePort, startNats, startRedis } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { composeEnvOf } from './compose.ts';
import { type Container, codeBytes, ImageLayout, SERVICES, type ServiceName } from './image.ts';

const MAX_CODE_BYTES = 5_000_000;
let images: ImageLayout;
beforeAll(async () => {
  images = await ImageLayout.of();
});
afterAll(() => images[Symbol.dispose]());

test.for(SERVICES)('%s is less than 5 MB of code', (service) => {
  expect(codeBytes(images.appOf(service))).toBeLessThan(MAX_CODE_BYTES);
});

const secret = () => randomBytes(24).toString('hex');
const USERS = ['EDGE_PROXY', 'AUTH', 'RATELIMIT', 'QUOTA_MIRROR', 'CONFIG_REGISTRY', 'LITELLM', 'OPERATOR'];
const passwords = Object.fromEntries(USERS.map((user) => [`NATS_${user}_PASSWORD`, secret()]));

/** deploy's users of the bus, with these passwords. */
const busUsers = () =>
  readFileSync(join(import.meta.dirname, '..', '..', 'deploy', 'nats', 'users.conf'), 'utf8').replaceAll(
    /\$(NATS_\w+_PASSWORD)/g,
    (_, name: string) => `"${passwords[name]}"`,
  );

test('given the five bundles as in their images, with what compose.yaml sets, when used, then a gateway; told to stop, each ends with 0', async () => {
  await using nats = await startNats({ config: busUsers() });
  await using redis = await startRedis();
  const upstream = createServer((request, response) => response.end(`seen ${request.url}`)).listen(
    0,
    '127.0.0.1',
  );
  const [proxyPort, adminPort] = [await freePort(), await freePort()];
  const token = secret();
  const given = { ...passwords, ADMIN_TOKENS: `me:admin:${token}`, LOGTO_ISSUER: 'http://127.0.0.1:9/oidc' };
  const here = {
    ...{ NATS_URL: nats.url, REDIS_URL: redis.url, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: `${adminPort}` },
    ...{
      ADMIN_TLS_PORT: '',
      DECLARATIVE_CONFIG: '',
      PROXY_HOST: '127.0.0.1',
      PROXY_PORT: `${proxyPort}`,
      TLS_PORT: '',
    },
  };
  const running: Container[] = [];
  const start = async (service: ServiceName) => {
    running.push(await images.start(service, { ...composeEnvOf(service, given), ...here }));
  };
  await using _stop = {
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all(running.map((one) => one[Symbol.asyncDispose]()))),
  };
  await start('config-registry');
  await Promise.all((['auth', 'ratelimit', 'quota-mirror', 'edge-proxy'] as const).map(start));

  const posted = await call(`http://127.0.0.1:${adminPort}`, '/config', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      _format_version: '3.0',
      services: [
        {
          ...{ name: 'up', url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` },
          routes: [{ name: 'all', paths: ['/all'], strip_path: false }],
          plugins: [
            { name: 'key-auth' },
            {
              name: 'rate-limiting',
              config: { minute: 2, policy: 'redis', redis: { host: 'redis' }, limit_by: 'consumer' },
            },
          ],
        },
      ],
      consumers: [{ username: 'me', keyauth_credentials: [{ key: 'a-key-of-mine' }] }],
    }),
  });
  expect(posted.status, posted.text).toBe(201);

  const proxy = `http://127.0.0.1:${proxyPort}`;
  const ask = (key: string) => call(proxy, '/all/of-it', { headers: { apikey: key } });
  await eventually(async () => expect((await ask('wrong')).status).toBe(401));
  const answers = [await ask('a-key-of-mine'), await ask('a-key-of-mine'), await ask('a-key-of-mine')];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers[0]?.text).toBe('seen /all/of-it');
  expect(answers[2]?.json()).toMatchObject({ message: 'API rate limit exceeded' });
  upstream.close();
  expect(await Promise.all(running.map((one) => one.stop()))).toEqual([0, 0, 0, 0, 0]);
});

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { call } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { multipart, natsClient, RunningGateway, r1Headers } from './gateway.ts';

const KONG_YML = readFileSync(join(import.meta.dirname, '../config/kong.yml'), 'utf8');
/** The platform's own file with limits that a lease is worth for. */
const ROOMY = KONG_YML.replace(
  /^(\s*(?:minute|hour|day):) (\d+)$/gm,
  (_line, key, limit) => `${key} ${limit}000`,
);
/** One route with limits and quota, one with the quota alone. */
const PATHS = ['/v1/workflows', '/v1/executions'] as const;
const CLIENTS = 16;
const WARM_UP = 500;
const REQUESTS = 3000;
/** What may be asked for all of the requests together: renewed leases, verdicts and quotas, heartbeats. */
const MAX_SHARE = 0.1;

/** Questions to auth and ratelimit, each of which is a message of its own or several in one. */
const countQuestions = async (natsUrl: string) => {
  const connection = await connect(natsClient(natsUrl));
  let messages = 0;
  for (const subject of ['auth.v1.>', 'ratelimit.v1.>'])
    connection.subscribe(subject, {
      callback: () => {
        messages += 1;
      },
    });
  await connection.flush();
  return {
    messages: async () => {
      await connection.flush();
      return messages;
    },
    close: () => connection.close(),
  };
};

/** Commands that Redis has run, without those of the one who asks. */
const commandsRun = async (redis: Redis): Promise<number> => {
  const stats = await redis.info('commandstats');
  return [...stats.matchAll(/^cmdstat_(\w+)[^:]*:calls=(\d+)/gm)]
    .filter(([, name]) => name !== 'info')
    .reduce((sum, [, , calls]) => sum + Number(calls), 0);
};

/** The statuses of that many answers, each client on a connection that it keeps. */
const ask = async (proxy: string, headers: Record<string, string>, count: number): Promise<Set<number>> => {
  const statuses = new Set<number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let left = count;
  const client = async () => {
    for (let n = left--; n > 0; n = left--) {
      const asked = request(new URL(PATHS[n % 2 === 0 ? 0 : 1], proxy), { agent, headers }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      statuses.add(answer.statusCode ?? 0);
      await once(answer.resume(), 'end');
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  return statuses;
};

test('given the platform’s chain in steady traffic, then hardly a request makes a message to auth or ratelimit, or a call of Redis', async () => {
  await using gateway = await RunningGateway.start(['--demo']);
  expect((await gateway.admin('/config', multipart(ROOMY))).status).toBe(201);
  const headers = r1Headers(await gateway.token('tenant-steady'), 'tenant-steady');
  const { proxy, nats, redis: redisUrl } = gateway.ready;
  expect(await ask(proxy, headers, WARM_UP)).toEqual(new Set([200]));

  const redis = new Redis(redisUrl);
  const bus = await countQuestions(nats);
  const before = { messages: await bus.messages(), commands: await commandsRun(redis) };
  expect(await ask(proxy, headers, REQUESTS)).toEqual(new Set([200]));
  const messages = (await bus.messages()) - before.messages;
  const commands = (await commandsRun(redis)) - before.commands;
  await bus.close();
  redis.disconnect();

  expect(messages).toBeLessThan(REQUESTS * MAX_SHARE);
  expect(commands).toBeLessThan(REQUESTS * MAX_SHARE);
  // The next one still counts: the headers say what is left, and a token that was never seen is judged.
  const answer = await call(proxy, PATHS[0], { headers });
  const [limit, remaining] = ['limit', 'remaining'].map((what) =>
    Number(answer.headers[`x-ratelimit-${what}-day`]),
  );
  // Of a machine too busy to ask the limiter in time, some were admitted by the edge alone.
  expect((limit ?? 0) - (remaining ?? 0)).toBeGreaterThan((REQUESTS + WARM_UP) / 4);
  const forged = { ...headers, authorization: `${headers.authorization}x` };
  expect((await call(proxy, PATHS[0], { headers: forged })).status).toBe(401);
}, 120_000);

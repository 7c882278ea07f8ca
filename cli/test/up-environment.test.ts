import { expect, test } from 'vitest';
import { JsonLines, StubRepository } from './support/gateway.ts';

test('given servers by the names of a service’s environment, then none is started either', async () => {
  await using repository = new StubRepository();
  const env = { NATS_URL: 'nats://127.0.0.1:4999', REDIS_HOST: '127.0.0.1', REDIS_PORT: '6999' };
  const ready = await repository.up([], { ...env, REDIS_DB: '2' }).lines.next('ready');

  expect(ready).toMatchObject({ nats: env.NATS_URL, redis: 'redis://127.0.0.1:6999/2' });
  expect(ready.pids).toMatchObject({ 'nats-server': [], 'redis-server': [] });
});

test('given Kong’s environment, then what has a meaning here is done, and the rest is told in one line', async () => {
  // given
  await using repository = new StubRepository();
  const { lines } = repository.up([], {
    ...{ KONG_REDIS_HOST: '127.0.0.1', KONG_REDIS_PORT: '6999', KONG_REDIS_PASSWORD: 'p@ss' },
    ...{ KONG_LOG_LEVEL: 'debug', KONG_TRUSTED_IPS: '10.0.0.0/8', KONG_DATABASE: 'off' },
  });

  // when
  const ready = await lines.next('ready');

  // then
  expect(ready.redis).toBe('redis://:p%40ss@127.0.0.1:6999/0');
  const { environment } = (await (await fetch(`${ready.proxy}/`)).json()) as {
    environment: Record<string, string>;
  };
  expect(environment).toMatchObject({ LOG_LEVEL: 'debug', TRUSTED_IPS: '10.0.0.0/8' });
  const notes = lines.seen.filter(({ event }) => event === 'note').map(({ text }) => `${text}`);
  expect(notes.filter((text) => text.startsWith('not read: '))).toEqual([
    'not read: KONG_DATABASE. There is no database: the configuration is a log in NATS JetStream.',
  ]);
});

test('given Kong’s name of a configuration, then that is what is sent, by one sender', async () => {
  await using repository = new StubRepository();
  repository.write('kong.yml', '_format_version: "3.0"  # by its name\n');
  const child = repository.spawn(['up', '--json', '--proxy-port', '0', '--admin-port', '0'], {
    KONG_DECLARATIVE_CONFIG: 'kong.yml',
  });

  const { admin } = await new JsonLines(child).next('ready');

  const { posted, environment } = (await (await fetch(`${admin}/`)).json()) as {
    posted: string;
    environment: Record<string, string>;
  };
  expect(JSON.parse(posted)).toEqual({ config: '_format_version: "3.0"  # by its name\n' });
  expect(environment.DECLARATIVE_CONFIG).toBe('');
});

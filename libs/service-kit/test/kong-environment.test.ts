import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  readSettings,
  redisSettings,
  redisUrl,
  sharedSettings,
  unusedKongNames,
  withoutKongNames,
} from '../src/index.ts';

const Settings = z.object({ ...sharedSettings, ...redisSettings });

test('given Kong’s names, then they are read as ours', () => {
  const settings = readSettings(Settings, {
    ...{ STATUS_PORT: '0', KONG_LOG_LEVEL: 'notice', KONG_REDIS_HOST: 'cache', KONG_REDIS_DATABASE: '3' },
  });
  expect(settings.LOG_LEVEL).toBe('info');
  expect(redisUrl(settings)).toBe('redis://cache:6379/3');
});

test('given both, then ours goes before Kong’s', () => {
  const env = { STATUS_PORT: '0', KONG_LOG_LEVEL: 'debug', LOG_LEVEL: 'error' };
  expect(readSettings(Settings, env).LOG_LEVEL).toBe('error');
});

test('names that nothing reads are told in one line, without their values', () => {
  const line = unusedKongNames({
    KONG_PG_PASSWORD: 'canary',
    KONG_DATABASE: 'postgres',
    KONG_LOG_LEVEL: 'info',
  });
  expect(line).toMatch(/^not read: KONG_DATABASE, KONG_PG_PASSWORD\. /);
  expect(line).not.toContain('canary');
  expect(unusedKongNames({ KONG_LOG_LEVEL: 'info', PATH: '/bin', KONG_PG_HOST: '' })).toBeUndefined();
});

test('what is in the place of a name is said of those alone that are there', () => {
  expect(unusedKongNames({ KONG_PG_HOST: 'db' })).toBe(
    'not read: KONG_PG_HOST. There is no database: the configuration is a log in NATS JetStream.',
  );
  expect(unusedKongNames({ KONG_PROXY_LISTEN: '0.0.0.0:80' })).toBe(
    'not read: KONG_PROXY_LISTEN. Each process has settings of its own: docs/settings.md.',
  );
});

test('given Kong’s names for processes that are started from here, then they get ours instead, and all others', () => {
  const env = { KONG_LOG_LEVEL: 'debug', KONG_REDIS_HOST: 'cache', KONG_API_SECRET: 's', PATH: '/bin' };
  expect(withoutKongNames({ ...env, LOG_LEVEL: '', REDIS_HOST: 'mine' })).toEqual({
    LOG_LEVEL: 'debug',
    REDIS_HOST: 'mine',
    KONG_API_SECRET: 's',
    PATH: '/bin',
  });
});

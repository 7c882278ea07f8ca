import { expect, test } from 'vitest';
import { z } from 'zod';
import { readSettings, redisSettings, redisUrl, sharedSettings, unusedKongNames } from '../src/index.ts';

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

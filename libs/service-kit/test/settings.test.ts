import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  instanceName,
  readSettings,
  redisSettings,
  redisUrl,
  SettingsError,
  sharedSettings,
} from '../src/index.ts';

const Settings = z.object({ ...sharedSettings, ...redisSettings });
const CANARY = 'c4n4ry';

/** A wrong value for every setting that has one. */
const wrong = {
  INSTANCE: `${CANARY} with spaces`,
  STATUS_PORT: `${CANARY}-port`,
  LOG_LEVEL: `${CANARY}-level`,
  DRAIN_TIMEOUT_MS: `-1.5${CANARY}`,
  REDIS_PORT: `${CANARY}`,
  REDIS_DB: `${CANARY}`,
};

const failureOf = (env: NodeJS.ProcessEnv): string => {
  try {
    readSettings(Settings, env);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as Error).message;
  }
  throw new Error('the settings were accepted');
};

test('given several wrong settings, then the error names every one of them and shows no value', () => {
  const message = failureOf({ ...wrong, NATS_PASSWORD: CANARY });

  for (const name of Object.keys(wrong)) expect(message).toContain(`  ${name}: `);
  expect(message).not.toContain(CANARY);
  expect(message.split('\n')).toHaveLength(1 + Object.keys(wrong).length);
});

test.each(Object.entries(wrong))('given a wrong %s alone, then it alone is named', (name, value) => {
  const message = failureOf({ STATUS_PORT: '0', [name]: value });

  expect(message.split('\n').slice(1)).toEqual([expect.stringContaining(`  ${name}: `)]);
});

test('given a required setting is missing or empty, then it is named', () => {
  expect(failureOf({})).toContain('STATUS_PORT');
  expect(failureOf({ STATUS_PORT: '' })).toContain('STATUS_PORT');
});

test.each(['-1', '65536', '80.5', '1e9'])('given STATUS_PORT %s, then it is refused', (port) => {
  expect(failureOf({ STATUS_PORT: port })).toContain('STATUS_PORT');
});

test('given an empty variable, then the default holds; what nobody reads is no fault', () => {
  const settings = readSettings(Settings, { STATUS_PORT: '0', LOG_LEVEL: '', HOME: '/root' });

  expect(settings).toMatchObject({ STATUS_PORT: 0, LOG_LEVEL: 'info', NATS_URL: 'nats://127.0.0.1:4222' });
  expect(settings).not.toHaveProperty('HOME');
});

test.each([
  ['notice', 'info'],
  ['crit', 'fatal'],
  ['emerg', 'fatal'],
  ['warning', 'warn'],
  ['debug', 'debug'],
])('given Kong’s LOG_LEVEL %s, then it means %s', (written, meant) => {
  expect(readSettings(Settings, { STATUS_PORT: '0', LOG_LEVEL: written }).LOG_LEVEL).toBe(meant);
});

describe('redisUrl', () => {
  const urlOf = (env: NodeJS.ProcessEnv) => redisUrl(readSettings(Settings, { STATUS_PORT: '0', ...env }));

  test('given nothing, then it is Redis on this machine', () => {
    expect(urlOf({})).toBe('redis://127.0.0.1:6379/0');
  });

  test('given the original’s names, then they build the URL, with the password made safe', () => {
    const env = { REDIS_HOST: 'redis', REDIS_PORT: '6380', REDIS_DB: '3', REDIS_PASSWORD: 'p@ss/w:rd' };

    const url = new URL(urlOf(env));

    expect(url).toMatchObject({ hostname: 'redis', port: '6380', pathname: '/3' });
    expect(decodeURIComponent(url.password)).toBe('p@ss/w:rd');
  });

  test('given REDIS_URL, then it wins', () => {
    expect(urlOf({ REDIS_URL: 'rediss://other:1', REDIS_HOST: 'redis' })).toBe('rediss://other:1');
  });
});

test('given no name, then an instance is named by service, host and process, in what a metric label may hold', () => {
  const name = instanceName('edge-proxy');

  expect(name).toMatch(new RegExp(`^edge-proxy-[A-Za-z0-9_.-]+-${process.pid}$`));
  expect(name.length).toBeLessThanOrEqual(64);
});

test('given NAME_FILE, then the value is what the file holds; the variable itself goes before it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
  const file = join(folder, 'password');
  writeFileSync(file, 'from-the-file\n');
  const env = { STATUS_PORT: '0', NATS_PASSWORD_FILE: file };

  expect(readSettings(Settings, env).NATS_PASSWORD).toBe('from-the-file');
  expect(readSettings(Settings, { ...env, NATS_PASSWORD: 'given' }).NATS_PASSWORD).toBe('given');
  rmSync(folder, { recursive: true });
  expect(failureOf(env)).toContain('NATS_PASSWORD_FILE: cannot be read (ENOENT)');
});

import { expect, test } from 'vitest';
import { parseRedisUrl, redisAddress } from '../src/index.ts';

test('one server, sentinels and clusters are read from their URLs', () => {
  expect(parseRedisUrl('redis://:pw@r:6379/2')).toEqual({ kind: 'single', url: 'redis://:pw@r:6379/2' });
  expect(parseRedisUrl('redis+sentinel://u:p%40w@s1:26380,s2/main/3')).toEqual({
    kind: 'sentinel',
    nodes: [
      { host: 's1', port: 26_380 },
      { host: 's2', port: 26_379 },
    ],
    isTls: false,
    username: 'u',
    password: 'p@w',
    name: 'main',
    db: 3,
  });
  expect(parseRedisUrl('rediss+cluster://:pw@[::1]:7000,b')).toEqual({
    kind: 'cluster',
    nodes: [
      { host: '::1', port: 7000 },
      { host: 'b', port: 6379 },
    ],
    isTls: true,
    username: undefined,
    password: 'pw',
  });
});

test('a URL of sentinels without the primary’s name, or one of another form, says what is right and not what it was', () => {
  expect(() => parseRedisUrl('redis+sentinel://:secret@s1')).toThrow(/^REDIS_URL names no primary/);
  expect(() => parseRedisUrl('redis+ring://:secret@s1')).toThrow(/write redis\+sentinel:\/\/host/);
  expect(() => parseRedisUrl('redis+ring://:secret@s1')).not.toThrow(/secret/);
});

test('what is shown of a URL has no login', () => {
  expect(redisAddress('redis://:secret@r:6379/2')).toBe('r:6379');
  expect(redisAddress('redis+sentinel://:secret@s1,s2/main')).toBe('main by s1:26379,s2:26379');
  expect(redisAddress('redis+cluster://:secret@a:1,b:2')).toBe('cluster a:1,b:2');
});

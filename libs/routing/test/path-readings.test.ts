import { expect, test } from 'vitest';
import { otherReadings } from '../src/path-readings.ts';

const pathsOf = (path: string): readonly string[] =>
  otherReadings(path)?.map((reading) => reading.path) ?? [];

test.each(['/', '/a/b', '/a+b', '/a/..hidden', '/~u/@x:y', '/a=b,c&d', '/cat and dog'])(
  'given the clear path %s, then there is no other reading',
  (path) => {
    expect(pathsOf(path)).toEqual([]);
  },
);

test.each([
  ['/a%2Fb', '/a/b'],
  ['/a%252Fb', '/a/b'],
  ['/a\\b', '/a/b'],
  ['/a;v=1/b', '/a/b'],
  ['/a;v=1/b', '/a'],
  ['/a%3Bv/b', '/a/b'],
  ['/a%3Fb', '/a'],
  ['/a%23b', '/a'],
  ['/a%2500b', '/a'],
  ['/a./b', '/a/b'],
  ['/a. /b', '/a/b'],
  ['/a/．．/b', '/b'],
  ['/ａ', '/a'],
])('given %s, then some server reads %s', (path, reading) => {
  expect(pathsOf(path)).toContain(reading);
});

test.each(['/a/..;/b', '/a/..%2Fb', '/a/%252e%252e/b', '/a/..\\b', '/a/.. /b', '/a/..%255cb'])(
  'given %s, then a reading climbs to /b',
  (path) => {
    expect(otherReadings(path)).toContainEqual({ path: '/b', climbs: true });
  },
);

test.each(['/..;/b', '/a/..;/..;/b', '/..%2F..%2Fb', `/${'%25'.repeat(80)}/${';a%25;'.repeat(40)}`])(
  'given %s, then it leaves the root or has no end of readings',
  (path) => {
    const readings = otherReadings(path);
    expect(readings === undefined || readings.length < 64).toBe(true);
    if (path.includes('..')) expect(readings).toBeUndefined();
  },
);

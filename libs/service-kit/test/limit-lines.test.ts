import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limitLines } from '../src/limit-lines.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const given = () => {
  const written: [string, number][] = [];
  const report = limitLines((line: string, leftOut) => written.push([line, leftOut]));
  return { written, report };
};

test('given one line, then it is written at once and nothing follows', () => {
  const { written, report } = given();

  report('a', 'only');
  vi.advanceTimersByTime(10_000);

  expect(written).toEqual([['only', 0]]);
});

test('given many lines of one key, then one is written each second, with the count of those left out', () => {
  const { written, report } = given();

  for (let n = 1; n <= 10; n++) report('a', `${n}`);
  expect(written).toEqual([['1', 0]]);
  vi.advanceTimersByTime(1000);
  for (let n = 11; n <= 13; n++) report('a', `${n}`);
  vi.advanceTimersByTime(999);
  expect(written).toEqual([
    ['1', 0],
    ['10', 8],
  ]);
  vi.advanceTimersByTime(1);

  expect(written.at(-1)).toEqual(['13', 2]);
  expect(written.reduce((sum, [, leftOut]) => sum + 1 + leftOut, 0)).toBe(13);
});

test('given another key, then it has a second of its own', () => {
  const { written, report } = given();

  report('a', 'a1');
  report('b', 'b1');
  report('a', 'a2');
  vi.advanceTimersByTime(1000);

  expect(written).toEqual([
    ['a1', 0],
    ['b1', 0],
    ['a2', 0],
  ]);
});

test('given a quiet second, then the next line is written at once and no timer is left', () => {
  const { written, report } = given();
  report('a', 'first');
  vi.advanceTimersByTime(1000);
  expect(vi.getTimerCount()).toBe(0);

  report('a', 'second');

  expect(written).toEqual([
    ['first', 0],
    ['second', 0],
  ]);
});

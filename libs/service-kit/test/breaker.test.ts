import { expect, test } from 'vitest';
import { Breaker } from '../src/breaker.ts';

const breakerAt = (spanMs: number) => {
  const clock = { now: 0 };
  const breaker = new Breaker({ spanMs, now: () => clock.now });
  return { clock, breaker };
};

const fail = (breaker: Breaker, times: number): void => {
  for (let i = 0; i < times; i++) breaker.timedOut();
};

test('given five timeouts in a row, then one question a second is let through until one is answered', () => {
  const { clock, breaker } = breakerAt(0);
  fail(breaker, 4);
  expect(breaker.admits()).toBe(true);
  breaker.timedOut();
  expect(breaker.admits()).toBe(false);
  clock.now = 1000;
  expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
  breaker.succeeded();
  expect([breaker.admits(), breaker.admits()]).toEqual([true, true]);
});

test('given a span, when fifty that were under way together time out in one stall, then it stays closed', () => {
  const { clock, breaker } = breakerAt(20);
  fail(breaker, 25);
  clock.now = 19;
  fail(breaker, 25);
  expect(breaker.isOpen).toBe(false);
  breaker.succeeded();
  clock.now = 500;
  fail(breaker, 25);
  expect(breaker.isOpen).toBe(false);
});

test('given a span, when those that came later time out, too, then it opens', () => {
  const { clock, breaker } = breakerAt(20);
  fail(breaker, 5);
  clock.now = 20;
  breaker.timedOut();
  expect(breaker.isOpen).toBe(true);
});

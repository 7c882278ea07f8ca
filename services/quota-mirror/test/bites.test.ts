import { connectRedis, type Redis } from '@sluice/service-kit';
import { eventually, silentLogger, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { applyEvents, UNSETTLED } from '../src/apply-events.ts';
import { decodeEvent, type QuotaEvent } from '../src/decode-event.ts';
import { keysOf } from '../src/keys.ts';
import { eventOf, quota } from './given.ts';
import { randomOf } from './random.ts';

// Each protection is taken out of the script on its way to Redis: the check of its guarantee must then fail. What
// these checks would not notice, no other test could be trusted to notice.

const NOW_MS = Date.now();

/** A Redis that gets every script without a part of it; the part must be there. */
const without = (redis: Redis, part: string): Redis =>
  new Proxy(redis, {
    get: (target, name) => {
      if (name === 'evalsha') return () => Promise.reject(new Error('NOSCRIPT: the text is wanted'));
      if (name === 'eval')
        return (script: string, ...rest: (string | number)[]) =>
          target.eval(script.replace(part, ''), ...(rest as [number, ...string[]]));
      return Reflect.get(target, name) as unknown;
    },
  });

const event = (payload: unknown, seq: number, eventId: string): QuotaEvent => {
  const occurredAt = new Date(NOW_MS - 10_000 + seq).toISOString();
  const data = Buffer.from(JSON.stringify(eventOf('t', payload, { eventId, occurredAt })));
  const decoded = decodeEvent(data, { seq, timeMicros: NOW_MS * 1000, streamCreatedMs: 1 });
  if (decoded.outcome === 'poison') throw new Error(decoded.message);
  return decoded.event;
};

/** Events in a wrong order, each twice, one by one as redeliveries come. @returns what is wrong at the end. */
const violations = async (redis: Redis, hurt: (redis: Redis) => Redis): Promise<Record<string, boolean>> => {
  await redis.flushall();
  const store = { redis: hurt(redis), keys: keysOf('quota:tenant:') };
  const random = randomOf(7);
  const states = Array.from({ length: 12 }, (_, n) => event(quota(n), n + 1, `s${n}`));
  const usages = Array.from({ length: 12 }, (_, n) => event({ usage: { total_tokens: 1 } }, n + 20, `u${n}`));
  const all = [...states, ...usages, ...states, ...usages];
  const shuffled = all.map((one) => ({ one, at: random() })).toSorted((a, b) => a.at - b.at);
  let wentBack = false;
  let newest = '';
  for (const { one } of [...shuffled, { one: states[3] ?? states[0] }]) {
    if (one !== undefined) await applyEvents(store, [one], UNSETTLED);
    const version = (await redis.hget('quota:tenant:t', 'v_occ')) ?? '';
    wentBack ||= version < newest;
    newest = version > newest ? version : newest;
  }
  return {
    'Q1: the highest version is held': (await redis.hget('quota:tenant:t', 'used')) !== '11',
    'Q2: no version goes back': wentBack,
    'Q3: duplicates change nothing': (await redis.hget('quota:usage:{t}', 'total_tokens')) !== '12',
  };
};

test.each([
  ['nothing', '', []],
  [
    'the compare-and-set',
    "if mine < theirs then return held[4] == id and 'duplicate' or 'stale' end",
    ['Q1: the highest version is held', 'Q2: no version goes back'],
  ],
  [
    'the memory of event ids',
    "if score or tonumber(stored) < floor then return 'duplicate' end",
    ['Q3: duplicates change nothing'],
  ],
])(
  'given %s is taken out of the scripts, then exactly its guarantees are seen to be violated',
  async (_what, part, expected) => {
    await using server = await startRedis();
    const redis = await connectRedis({
      url: server.url,
      name: 'test',
      commandTimeoutMs: 2000,
      logger: silentLogger(),
    });
    await eventually(() => redis.ping());

    const found = await violations(redis, (whole) => (part === '' ? whole : without(whole, part)));

    expect(Object.keys(found).filter((name) => found[name])).toEqual(expected);
    redis.disconnect();
  },
);

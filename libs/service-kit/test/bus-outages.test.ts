import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { Lane } from '../src/index.ts';
import { double } from './double.ts';
import { connected, failureOf, patientEcho, subscribed } from './echo.ts';

test('given two responders restart in turn under 500 questions a second, then none is lost', async () => {
  await using nats = await startNats();
  await using asker = await connected(nats, 'asker');
  const start = async (name: string) => {
    const bus = await connected(nats, name);
    bus.answer(patientEcho, async ({ text }) => {
      await sleep(5); // there is always one in its hands
      return { text, by: name };
    });
    await subscribed(bus);
    return bus;
  };
  const members = [await start('member-0'), await start('member-1')];
  const answers: Promise<{ text: string; by?: string | undefined }>[] = [];
  const clock = setInterval(() => {
    for (let n = 0; n < 5; n++) answers.push(asker.ask(patientEcho, { text: `${answers.length}` }));
  }, 10);

  for (let restart = 2; restart < 12; restart++) {
    await sleep(250); // the length of the run, nothing waits for it
    const leaving = members[restart % 2];
    await leaving?.drain();
    members[restart % 2] = await start(`member-${restart}`);
  }
  clearInterval(clock);
  const outcomes = await Promise.allSettled(answers);

  expect(outcomes.length).toBeGreaterThan(300);
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
  const replies = await Promise.all(answers);
  expect(replies.map(({ text }) => text)).toEqual(replies.map((_, n) => `${n}`));
  expect(new Set(replies.map(({ by }) => by)).size).toBeGreaterThan(4); // the work did move on
  for (const member of members) await member.close();
});

test('given a responder is frozen, then its lane times out and its breaker opens, and another lane goes on', async () => {
  await using nats = await startNats();
  const children: ChildProcess[] = [];
  const start = async (subject: string) => {
    const child = fork(join(import.meta.dirname, 'double-responder.ts'), [nats.url, subject]);
    children.push(child);
    await once(child, 'message');
    return child;
  };
  try {
    const frozen = await start('test.v1.frozen');
    await start('test.v1.lively');
    await using asker = await connected(nats, 'asker');
    const frozenLane = new Lane(asker, double('test.v1.frozen', 100), { isIdempotent: false });
    const livelyLane = new Lane(asker, double('test.v1.lively', 10_000), { isIdempotent: false });
    frozen.kill('SIGSTOP');

    for (let n = 0; n < 5; n++) {
      const [late, good] = await Promise.all([failureOf(frozenLane.ask({ n })), livelyLane.ask({ n })]);
      expect(late.kind).toBe('timeout');
      expect(good.doubled).toBe(2 * n);
    }

    expect(frozenLane.breaker.isOpen).toBe(true);
    expect((await failureOf(frozenLane.ask({ n: 1 }))).kind).toBe('open');
    expect(livelyLane.breaker.isOpen).toBe(false);
    expect((await livelyLane.ask({ n: 21 })).doubled).toBe(42);
    frozen.kill('SIGCONT');
    await eventually(async () => expect((await frozenLane.ask({ n: 21 })).doubled).toBe(42));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});

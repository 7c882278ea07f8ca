import { PassThrough } from 'node:stream';
import { STREAMS } from '@sluice/contracts';
import { startNats } from '@sluice/testkit';
import { AckPolicy, connect } from 'nats';
import { expect, test } from 'vitest';
import { checkBus } from '../src/doctor/check-bus.ts';
import { judgeClock } from '../src/doctor/finding.ts';

test.each([
  ['ahead', 5000],
  ['behind', -5000],
])('given a clock that is 5 s %s, then doctor says by how much, and what to do', (_where, skewMs) => {
  const now = 1_767_323_045_000;

  expect(judgeClock('clock edge-1', now + skewMs, { ours: now, uncertainMs: 40 })).toEqual({
    ...{ check: 'clock edge-1', state: 'warning', says: 'differs by 4960 ms from this machine' },
    remedy: expect.stringContaining('NTP'),
  });
});

test('given an answer that took as long as the clocks differ, then that is no skew', () => {
  expect(judgeClock('clock redis', 3000, { ours: 0, uncertainMs: 2500 }).state).toBe('ok');
});

const surroundings = () => ({
  ...{ env: {}, cwd: '.', root: '.', out: new PassThrough(), err: new PassThrough() },
  readInput: () => Promise.resolve(''),
});

test('given events that left their stream unread, dead letters and nobody who answers, then doctor says so of each', async () => {
  await using server = await startNats();
  const nats = await connect({ servers: server.url });
  const { streams, consumers } = await nats.jetstreamManager();
  await streams.add({ name: STREAMS.QUOTAS.name, subjects: ['quota.updated'], max_msgs: 1 });
  await streams.add({ name: STREAMS.DEADLETTER.name, subjects: ['quota.dead'] });
  await consumers.add(STREAMS.QUOTAS.name, {
    ...{ durable_name: 'quota-mirror', ack_policy: AckPolicy.Explicit },
  });
  const publish = (subject: string) => nats.jetstream().publish(subject, '{}');
  await publish('quota.updated');
  const read = await (await nats.jetstream().consumers.get(STREAMS.QUOTAS.name, 'quota-mirror')).next();
  await read?.ackAck();
  for (let i = 0; i < 4; i++) await publish('quota.updated');
  await publish('quota.dead');

  const findings = await checkBus(server.url, surroundings());
  await nats.close();

  const of = (check: string) => findings.find((one) => one.check === check);
  expect(of('nats')?.state).toBe('ok');
  expect(of('quota events')).toMatchObject({ state: 'warning', says: '3 left the stream unread' });
  expect(of('dead letters')).toMatchObject({ state: 'warning', says: '1 events could not be applied' });
  expect(of(`stream ${STREAMS.DECISIONS.name}`)?.state).toBe('failed');
  for (const part of ['auth', 'ratelimit'])
    expect(of(part)).toMatchObject({ state: 'failed', says: 'nobody answers' });
  expect(of('permissions')?.says).toContain('not heard from');
});

test('given no quota-mirror was ever there, then doctor says that nobody reads the events', async () => {
  await using server = await startNats();

  const findings = await checkBus(server.url, surroundings());

  expect(findings.find(({ check }) => check === 'quota events')).toMatchObject({
    ...{ state: 'warning', says: 'nobody reads them' },
  });
});

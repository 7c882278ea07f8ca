import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { edgeDecision, edgeTraffic } from '@sluice/contracts';
import { Bus, createMetrics } from '@sluice/service-kit';
import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { DecisionRecords } from '../../src/observe/decision-records.ts';

const FLOOD = 5000;
const GATE = { maxLagMs: 50, lagMs: 61.4, allowancePerSecond: 12.3 };

const requestOf = (tenant: string): IncomingMessage => {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = '/v1/work?secret=1';
  request.headers = { 'x-tenant-id': tenant };
  return request;
};

test('given a flood is shed, then a sample is remembered, and it stands for all that were shed', async () => {
  await using nats = await startNats();
  const bus = Bus.open({ url: nats.url, name: 'edge', logger: silentLogger() });
  const records = new DecisionRecords({
    ...{ bus, registry: createMetrics('edge', '0'), instance: 'edge-0' },
    ...{ version: () => 3, capacity: 1000, sample: 0 },
  });
  records.answer();
  const asker = Bus.open({ url: nats.url, name: 'asker', logger: silentLogger() });
  const remembered = async () => {
    const [answer] = await asker.scatter(edgeDecision, { limit: 500 }, 1);
    if (answer === undefined) throw new Error('nobody answers');
    return answer.records;
  };
  await eventually(remembered);

  const request = requestOf('noisy');
  for (let i = 0; i < FLOOD; i++) records.noteShed(`id-${i}`, request, GATE);
  const first = await remembered();
  // A place comes free with every message to the stream.
  let later = 0;
  await eventually(async () => {
    records.noteShed(`later-${later++}`, request, GATE);
    expect((await remembered()).length).toBeGreaterThan(first.length);
  });

  expect(first.length).toBeGreaterThan(0);
  expect(first.length).toBeLessThan(FLOOD / 50);
  expect(first[0]).toMatchObject({
    ...{ requestId: 'id-0', tenant: 'noisy', path: '/v1/work', status: 503, version: 3 },
    refusal: { code: 'GW_OVERLOADED', facts: { event_loop_lag_ms: 61, allowed_per_second: 12 } },
  });
  const all = await remembered();
  const stoodFor = all.reduce((sum, { refusal }) => sum + Number(refusal?.facts?.stands_for), 0);
  expect(stoodFor).toBeGreaterThan(FLOOD);
  const [traffic] = await asker.scatter(edgeTraffic, { windowMs: 60_000, top: 1 }, 1);
  expect(traffic).toMatchObject({
    total: { requests: stoodFor, failed: stoodFor },
    tenants: [{ name: 'noisy', requests: stoodFor }],
    refusals: [{ code: 'GW_OVERLOADED', count: stoodFor }],
  });
  records.stop();
  await Promise.all([bus.close(), asker.close()]);
});

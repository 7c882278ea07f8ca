import { ConfigState } from '@sluice/gateway-config';
import { expect, test } from 'vitest';
import { changeList } from '../../src/console/change-list.ts';
import { dependenciesOf } from '../../src/console/dependencies.ts';
import { type EdgeTraffic, sumTraffic } from '../../src/console/sum-traffic.ts';

const share = (name: string, requests: number, p50Us: number, p99Us: number) => ({
  ...{ name, requests, refused: requests / 2, failed: 0, p50Us, p99Us },
});
const edge = (instance: string, requests: number, p50Us: number): EdgeTraffic => ({
  ...{ instance, spanMs: 2000, total: share('all', requests, p50Us, 9000) },
  tenants: [share('acme', requests, p50Us, 9000)],
  routes: [],
  refusals: [
    { code: 'GW_RATE_LIMITED', count: requests / 2 },
    { code: 'GW_OF_TOMORROW', count: 2 },
  ],
});

test('the edges’ traffic is added up per second; medians are weighed, the worst 99th of 100 counts', () => {
  const view = sumTraffic([edge('one', 30, 1000), edge('two', 10, 2000)]);
  expect(view.total).toEqual({
    ...{ name: 'all', perSecond: 20, refusedPerSecond: 10, failedPerSecond: 0, p50Ms: 1.25, p99Ms: 9 },
  });
  expect(view.tenants.map(({ name, perSecond }) => [name, perSecond])).toEqual([['acme', 20]]);
  expect(view.limitedPerSecond).toBe(10);
  expect(view.refusals).toEqual([
    { code: 'GW_RATE_LIMITED', status: 429, perSecond: 10 },
    { code: 'GW_OF_TOMORROW', status: 0, perSecond: 2 },
  ]);
});

test('nobody asked, or an edge that has just started: no rate, not one divided by nothing', () => {
  expect(sumTraffic([]).total.perSecond).toBe(0);
  expect(sumTraffic([{ ...edge('one', 4, 1), spanMs: 0 }]).total.perSecond).toBe(0);
});

const WELL = `sluice_nats_connected 1
sluice_config_stale 0
sluice_breaker_open{dependency="auth"} 0
sluice_breaker_open{dependency="ratelimit"} 0
sluice_target_breaker_open 0
sluice_overload_state 0
`;
const illOf = (texts: readonly string[], isConnected = true) =>
  dependenciesOf(
    texts.map((text, at) => ({ instance: `edge-${at}`, text })),
    isConnected,
  ).flatMap(({ name, isWell }) => (isWell ? [] : [name]));

test('what edges tell of their dependencies: each figure that is not well names its part', () => {
  expect(illOf([WELL, WELL])).toEqual([]);
  for (const [from, to, name] of [
    ['nats_connected 1', 'nats_connected 0', 'nats'],
    ['config_stale 0', 'config_stale 1', 'config-registry'],
    ['"auth"} 0', '"auth"} 1', 'auth'],
    ['"ratelimit"} 0', '"ratelimit"} 1', 'ratelimit'],
    ['target_breaker_open 0', 'target_breaker_open 2', 'upstreams'],
    ['overload_state 0', 'overload_state 2', 'capacity'],
  ] as const)
    expect(illOf([WELL, WELL.replace(from, to)])).toEqual([name]);
  expect(illOf([WELL], false)).toEqual(['nats']);
});

test('changes are told by entity and field, and a secret that changed is named without its value', () => {
  const service = (retries: number) => ({
    id: 'a',
    name: 'agents',
    retries,
    tags: ['one'],
    updated_at: retries,
  });
  const key = (text: string) => ({ id: 'k', key: text, consumer: { id: 'c' } });
  const from = new ConfigState();
  from.apply([
    { op: 'put', kind: 'services', id: 'a', entity: service(3) },
    { op: 'put', kind: 'keyauth_credentials', id: 'k', entity: key('the-old-secret') },
    { op: 'put', kind: 'services', id: 'gone', entity: { id: 'gone', name: 'gone' } },
  ]);
  const to = new ConfigState();
  to.apply([
    { op: 'put', kind: 'services', id: 'a', entity: service(5) },
    { op: 'put', kind: 'keyauth_credentials', id: 'k', entity: key('the-new-secret') },
    { op: 'put', kind: 'services', id: 'new', entity: { id: 'new', name: 'fresh' } },
  ]);
  const { counts, changes, changesLeftOut } = changeList(from, to);
  expect([counts, changesLeftOut]).toEqual([{ added: 1, changed: 2, removed: 1 }, 0]);
  expect(changes.find(({ name }) => name === 'agents')?.fields).toEqual([
    { field: 'retries', before: 3, after: 5 },
  ]);
  expect(changes.find(({ id }) => id === 'k')?.fields.map(({ field }) => field)).toEqual(['key']);
  expect(JSON.stringify(changes)).not.toMatch(/the-(?:old|new)-secret/);
});

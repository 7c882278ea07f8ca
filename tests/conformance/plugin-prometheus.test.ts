import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { header, routeWith } from './plugin-cases.ts';
import { World } from './world.ts';

const SWITCHES = [
  'per_consumer',
  'status_code_metrics',
  'latency_metrics',
  'bandwidth_metrics',
  'upstream_health_metrics',
  'ai_metrics',
  'wasm_metrics',
];
const KONG_BUCKETS = '1 2 5 7 10 15 20 30 50 75 100 200 500 750 1000 3000 6000 +Inf'.split(' ');
const UPSTREAM_BUCKETS = '25 50 80 100 250 400 700 1000 2000 5000 10000 30000 60000 +Inf'.split(' ');

let world: World;
beforeAll(async () => {
  world = await World.start();
  const on = (...names: string[]) => ({
    name: 'prometheus',
    config: Object.fromEntries(names.map((name) => [name, true])),
  });
  const refuse = { name: 'request-termination', config: { status_code: 418 } };
  const routes = [
    routeWith('counted', [on('status_code_metrics')]),
    routeWith('stopped', [on('status_code_metrics', 'latency_metrics'), refuse]),
    routeWith('measured', [on('latency_metrics')]),
    routeWith('weighed', [on('bandwidth_metrics')]),
    routeWith('named', [
      on('per_consumer', 'status_code_metrics', 'bandwidth_metrics'),
      { name: 'key-auth' },
    ]),
    routeWith('unnamed', [on('status_code_metrics'), { name: 'key-auth' }]),
    routeWith('bound', [{ ...on('status_code_metrics'), consumer: 'alice' }, { name: 'key-auth' }]),
    routeWith('silent', [on('ai_metrics', 'wasm_metrics')]),
    routeWith('off', []),
    routeWith('last', [on('status_code_metrics')]),
  ];
  await world.load({
    services: [
      world.service('echo', routes),
      { name: 'pool', host: 'pool.test', routes: [routeWith('healthy', [on('upstream_health_metrics')])] },
    ],
    upstreams: [{ name: 'pool.test', targets: [{ target: `127.0.0.1:${world.upstream.port}` }] }],
    consumers: [
      { username: 'alice', keyauth_credentials: [{ key: 'a' }] },
      { username: 'bob', keyauth_credentials: [{ key: 'b' }] },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const metrics = async (): Promise<string> => (await world.admin('/metrics')).text;
const linesOf = (text: string, beginning: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(beginning));
/** Labels by name; `instance` is ours. */
const labelsOf = (line: string): Record<string, string> =>
  Object.fromEntries(
    [...line.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, value] as [string, string]),
  );
const withoutInstance = (line: string): string => line.replace(/,?instance="[^"]*"/, '').replace('{,', '{');
/** The metrics once a line begins so; requests are counted after their answer. */
const metricsWith = (beginning: string): Promise<string> =>
  eventually(async () => {
    const text = await metrics();
    expect(linesOf(text, beginning)).not.toEqual([]);
    return text;
  });
/** One request more, on a route of its own; what came before it has been counted then. */
const settled = async (): Promise<string> => {
  await world.ask('/last');
  return metricsWith('kong_http_requests_total{service="echo",route="last"');
};

test('prometheus: the answer of /metrics is Prometheus text 0.0.4', async () => {
  await settled();
  const answer = await world.admin('/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('text/plain; charset=UTF-8');
  expect(answer.text).toContain('# TYPE kong_http_requests_total counter\n');
});

test('prometheus status_code_metrics: given two calls, then the counter says 2 (vector: 30)', async () => {
  for (let i = 0; i < 2; i++) await world.ask('/counted');
  await eventually(async () => {
    const lines = linesOf(await metrics(), 'kong_http_requests_total{service="echo",route="counted"');
    expect(lines.map(withoutInstance)).toEqual([
      'kong_http_requests_total{service="echo",route="counted",code="200",source="service",workspace="default",consumer=""} 2',
    ]);
  });
});

test('prometheus status_code_metrics: given an answer of the gateway, then source is kong', async () => {
  await world.ask('/stopped');
  const text = await metricsWith('kong_http_requests_total{service="echo",route="stopped"');
  const [line = ''] = linesOf(text, 'kong_http_requests_total{service="echo",route="stopped"');
  expect(labelsOf(line)).toMatchObject({ code: '418', source: 'kong', consumer: '' });
  // It never reached an upstream, so only the gateway's share was measured.
  expect(linesOf(text, 'kong_upstream_latency_ms_count{service="echo",route="stopped"')).toEqual([]);
});

test.each([
  { family: 'kong_kong_latency_ms', buckets: KONG_BUCKETS },
  { family: 'kong_upstream_latency_ms', buckets: UPSTREAM_BUCKETS },
  { family: 'kong_request_latency_ms', buckets: UPSTREAM_BUCKETS },
])('prometheus latency_metrics: $family has the buckets of Kong', async ({ family, buckets }) => {
  await world.ask('/measured');
  const text = await metricsWith(`${family}_count{service="echo",route="measured",workspace="default"`);
  const bounds = linesOf(text, `${family}_bucket`)
    .map(labelsOf)
    .filter(({ route }) => route === 'measured');
  expect(bounds.map(({ le }) => le)).toEqual(buckets);
  expect(text).toContain(`# TYPE ${family} histogram\n`);
});

test.each(['ingress', 'egress'])('prometheus bandwidth_metrics: %s bytes are counted', async (direction) => {
  await world.ask('/weighed', { method: 'POST', body: 'x'.repeat(1000) });
  const beginning = `kong_bandwidth_bytes{service="echo",route="weighed",direction="${direction}",workspace="default",consumer=""`;
  const [line = ''] = linesOf(await metricsWith(beginning), beginning);
  expect(Number(line.split(' ').at(-1))).toBeGreaterThan(1000);
});

test.each([
  { field: 'per_consumer', given: 'true', path: '/named', consumer: 'alice' },
  { field: 'per_consumer', given: 'false', path: '/unnamed', consumer: '' },
])('prometheus $field: given $given, then consumer is "$consumer"', async ({ path, consumer }) => {
  await world.ask(path, header('apikey', 'a'));
  const beginning = `kong_http_requests_total{service="echo",route="${path.slice(1)}"`;
  const [line = ''] = linesOf(await metricsWith(beginning), beginning);
  expect(labelsOf(line)).toMatchObject({ code: '200', consumer });
});

test('prometheus upstream_health_metrics: all states of a target are exported, one of them is 1', async () => {
  await world.ask('/healthy');
  const text = await metricsWith('kong_upstream_target_health{upstream="pool.test"');
  const lines = linesOf(text, 'kong_upstream_target_health{upstream="pool.test"');
  const states = lines.map((line) => [labelsOf(line).state, line.split(' ').at(-1)]);
  expect(Object.fromEntries(states)).toEqual({
    healthchecks_off: '1',
    healthy: '0',
    unhealthy: '0',
    dns_error: '0',
  });
  const target = `127.0.0.1:${world.upstream.port}`;
  expect(labelsOf(lines[0] ?? '')).toMatchObject({ target, address: target, subsystem: 'http' });
});

test('prometheus: given an instance of a consumer, then only its requests are counted', async () => {
  for (const key of ['b', 'a']) await world.ask('/bound', header('apikey', key));
  await eventually(async () => {
    const lines = linesOf(await metrics(), 'kong_http_requests_total{service="echo",route="bound"');
    expect(lines.map((line) => line.split(' ').at(-1))).toEqual(['1']);
  });
});

test.each([
  { given: 'only ai_metrics and wasm_metrics', path: '/silent' },
  { given: 'no prometheus at all', path: '/off' },
  { given: 'no route', path: '/nowhere' },
])('prometheus: given $given, then $path is counted nowhere', async ({ path }) => {
  await world.ask(path);
  const text = await settled();
  expect(text.split('\n').filter((line) => line.includes(`route="${path.slice(1)}"`))).toEqual([]);
  expect(linesOf(text, 'kong_http_requests_total{service="",')).toEqual([]);
});

test.each([
  ['kong_datastore_reachable', {}, '1'],
  ['kong_node_info', { node_id: /./, version: /./ }, '1'],
  ['kong_nginx_connections_total', { node_id: /./, subsystem: /^http$/, state: /./ }, undefined],
  ['kong_nginx_requests_total', { node_id: /./, subsystem: /^http$/ }, undefined],
  ['kong_nginx_timers', { state: /^(running|pending)$/ }, undefined],
  ['kong_nginx_metric_errors_total', {}, '0'],
  [
    'kong_memory_lua_shared_dict_bytes',
    { node_id: /./, shared_dict: /./, kong_subsystem: /^http$/ },
    undefined,
  ],
  ['kong_memory_lua_shared_dict_total_bytes', { node_id: /./, shared_dict: /./ }, undefined],
  ['kong_memory_workers_lua_vms_bytes', { node_id: /./, pid: /^\d+$/, kong_subsystem: /^http$/ }, undefined],
] as const)('prometheus: %s is always there', async (family, labels, value) => {
  const lines = (await metrics()).split('\n').filter((line) => new RegExp(`^${family}[{ ]`).test(line));
  expect(lines).not.toEqual([]);
  for (const [name, pattern] of Object.entries(labels))
    expect(labelsOf(lines[0] ?? '')[name]).toMatch(pattern);
  if (value !== undefined) expect(lines[0]?.split(' ').at(-1)).toBe(value);
});

test.each(['accepted', 'handled', 'total', 'active', 'reading', 'writing', 'waiting'])(
  'prometheus: kong_nginx_connections_total has the state %s',
  async (state) => {
    const states = linesOf(await metrics(), 'kong_nginx_connections_total').map(
      (line) => labelsOf(line).state,
    );
    expect(states).toContain(state);
  },
);

const SERIES = ['service', 'route', 'workspace'];
test.each<[family: string, path: string, labels: string[]]>([
  ['kong_http_requests_total', '/counted', ['service', 'route', 'code', 'source', 'workspace', 'consumer']],
  ['kong_bandwidth_bytes', '/weighed', ['service', 'route', 'direction', 'workspace', 'consumer']],
  ['kong_kong_latency_ms_bucket', '/measured', [...SERIES, 'le']],
  ['kong_kong_latency_ms_sum', '/measured', SERIES],
  ['kong_upstream_latency_ms_bucket', '/measured', [...SERIES, 'le']],
  ['kong_request_latency_ms_bucket', '/measured', [...SERIES, 'le']],
  ['kong_upstream_target_health', '/healthy', ['upstream', 'target', 'address', 'state', 'subsystem']],
  ['kong_datastore_reachable', '/off', []],
  ['kong_node_info', '/off', ['node_id', 'version']],
  ['kong_nginx_connections_total', '/off', ['node_id', 'subsystem', 'state']],
  ['kong_nginx_requests_total', '/off', ['node_id', 'subsystem']],
  ['kong_nginx_timers', '/off', ['state']],
  ['kong_nginx_metric_errors_total', '/off', []],
  ['kong_memory_lua_shared_dict_bytes', '/off', ['node_id', 'shared_dict', 'kong_subsystem']],
  ['kong_memory_lua_shared_dict_total_bytes', '/off', ['node_id', 'shared_dict', 'kong_subsystem']],
  ['kong_memory_workers_lua_vms_bytes', '/off', ['node_id', 'pid', 'kong_subsystem']],
  // Names that the original's documentation has, and no Kong of today.
  ['kong_latency_bucket', '/measured', ['service', 'route', 'type', 'le']],
  ['kong_upstream_health', '/measured', ['upstream', 'target']],
])('prometheus: %s, once %s was asked, has its labels in the order of Kong', async (family, path, labels) => {
  await world.ask(path);
  await eventually(async () => {
    const line = (await metrics()).split('\n').find((one) => new RegExp(`^${family}[{ ]`).test(one));
    const names = Object.keys(labelsOf(line ?? '')).filter((name) => name !== 'instance');
    expect(line).toBeDefined();
    expect(names).toEqual(labels);
  });
});

test.each(SWITCHES)('prometheus %s is a boolean, false by default', async (name) => {
  const { fields } = (await world.admin('/schemas/plugins/prometheus')).json<{
    fields: Record<string, object>[];
  }>();
  const config = fields.find((field) => 'config' in field)?.config as { fields: Record<string, unknown>[] };
  expect(config.fields.find((field) => name in field)?.[name]).toMatchObject({
    type: 'boolean',
    default: false,
  });
});

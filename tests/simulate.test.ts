import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALICE, aliceToken, type Fate, fateOf, type Sent, SimulateWorld } from './simulate-world.ts';

// A month: a window that hardly ends while the test runs. `exact`: the limiter counts each request of both edges.
const limit = (month: number): string =>
  `{ name: rate-limiting, config: { month: ${month}, exact: true, limit_by: header, header_name: X-Tenant-Id } }`;

const live = ([first = 0, second = 0]: readonly number[]): string => `
_format_version: "3.0"
services:
  - name: first
    url: http://127.0.0.1:${first}
    routes:
      - { name: open, paths: [/open] }
      - { name: old, paths: [/old] }
      - { name: moved, paths: [/moved] }
      - { name: guarded, paths: [/guarded], plugins: [{ name: jwt }] }
      - { name: shy, paths: [/shy], plugins: [{ name: jwt }, { name: acl, config: { allow: [silver] } }] }
      - { name: tight, paths: [/tight], plugins: [${limit(5)}] }
      - { name: wide, paths: [/wide], plugins: [${limit(2)}] }
      - { name: fresh, paths: [/fresh] }
      - { name: agents, paths: [/agents] }
      - { name: bodies, paths: [/bodies] }
      - { name: home, paths: [/home] }
      - { name: gone, paths: [/gone] }
      - { name: pages, paths: [/pages] }
      - { name: versioned, paths: [/versioned], headers: { x-version: ["2"] } }
      - { name: watched, paths: [/watched], plugins: [{ name: ip-restriction, mode: shadow, config: { deny: [127.0.0.1] } }] }
  - name: second
    url: http://127.0.0.1:${second}
${ALICE}`;

const candidate = ([first = 0, second = 0]: readonly number[]): string => `
_format_version: "3.0"
services:
  - name: first
    url: http://127.0.0.1:${first}
    routes:
      - { name: open, paths: [/open], plugins: [{ name: jwt }] }
      - { name: new, paths: [/new] }
      - { name: guarded, paths: [/guarded], plugins: [{ name: jwt }] }
      - { name: shy, paths: [/shy], plugins: [{ name: jwt }, { name: acl, config: { deny: [silver] } }] }
      - { name: tight, paths: [/tight], plugins: [${limit(3)}] }
      - { name: wide, paths: [/wide], plugins: [${limit(4)}] }
      - { name: fresh, paths: [/fresh], plugins: [${limit(2)}] }
      - { name: agents, paths: [/agents], plugins: [{ name: bot-detection, config: { deny: [evil] } }] }
      - name: bodies
        paths: [/bodies]
        plugins: [{ name: request-size-limiting, config: { allowed_payload_size: 1, size_unit: kilobytes } }]
      - { name: home, paths: [/home], plugins: [{ name: ip-restriction, config: { deny: [127.0.0.1] } }] }
      - { name: gone, paths: [/gone], plugins: [{ name: request-termination, config: { status_code: 410 } }] }
      - { name: pages, paths: [/pages], plugins: [{ name: cors }] }
      - { name: versioned, paths: [/versioned], headers: { x-version: ["3"] } }
      - { name: watched, paths: [/watched], plugins: [{ name: ip-restriction, config: { deny: [127.0.0.1] } }] }
  - name: second
    url: http://127.0.0.1:${second}
    routes:
      - { name: moved, paths: [/moved] }
${ALICE}`;

const of = (tenant: string, path: string, options: Omit<Sent, 'path'> = {}): Sent => ({
  ...options,
  path,
  headers: { 'x-tenant-id': tenant, ...options.headers },
});
const times = (count: number, sent: Sent): Sent[] => Array.from({ length: count }, () => sent);
const bearer = { headers: { authorization: `Bearer ${aliceToken()}` } };
const preflight = { origin: 'https://app.example', 'access-control-request-method': 'PUT' };

/** Requests whose fate another configuration cannot be told: their credential was never looked at. */
const UNTOLD = [{ path: '/open/with-token', ...bearer }];

const TRAFFIC: readonly Sent[] = [
  ...['tenant-a', 'tenant-b'].flatMap((tenant) => [
    of(tenant, '/open?page=1'),
    of(tenant, '/old/thing'),
    of(tenant, '/new/thing'),
    of(tenant, '/moved'),
    of(tenant, '/nowhere'),
    ...times(6, of(tenant, '/tight')),
    ...times(3, of(tenant, '/wide')),
    ...times(3, of(tenant, '/fresh')),
    of(tenant, '/home'),
    of(tenant, '/watched'),
    of(tenant, '/gone'),
  ]),
  of('tenant-c', '/agents', { headers: { 'user-agent': 'evil/1.0' } }),
  of('tenant-c', '/agents', { headers: { 'user-agent': 'good/1.0' } }),
  of('tenant-c', '/bodies', { method: 'POST', body: 'x'.repeat(2000) }),
  of('tenant-c', '/bodies', { method: 'POST', body: 'small' }),
  of('tenant-c', '/pages', { method: 'OPTIONS', headers: preflight }),
  of('tenant-c', '/pages'),
  of('tenant-c', '/versioned', { headers: { 'x-version': '2' } }),
  of('tenant-c', '/versioned', { headers: { 'x-version': '3' } }),
  of('tenant-c', '/versioned'),
  of('tenant-c', '/open//..%2fx'),
  { path: '/guarded' },
  { path: '/guarded', ...bearer },
  { path: '/shy' },
  { path: '/shy', ...bearer },
  ...UNTOLD,
];

interface Predicted {
  readonly base: string;
  readonly changes: number;
  readonly unknown: number;
  readonly tenants: readonly {
    readonly tenant: string;
    readonly requests: number;
    readonly changes: number;
  }[];
  readonly each: readonly {
    readonly requestId: string;
    readonly result: 'same' | 'changes' | 'unknown';
    readonly would?: Fate & { readonly upstream?: string };
    readonly why?: string;
  }[];
}

let world: SimulateWorld;
beforeAll(async () => {
  world = await SimulateWorld.start(live);
});
afterAll(() => world[Symbol.asyncDispose]());

const simulated = async (file: string): Promise<{ code: number; report: Predicted }> => {
  const { code, out, err } = await world.sluice('simulate', file, '--json', '--each', '--since', '1h');
  expect(err).toBe('');
  return { code, report: JSON.parse(out) as Predicted };
};

test('given recorded traffic of several tenants, when a configuration is simulated, then exactly what was predicted happens once it is applied', async () => {
  const file = world.write('candidate.yml', candidate(world.ports));
  const ids = await world.drive(TRAFFIC);
  const before = (await world.records(ids)).map(fateOf);

  const { code, report } = await simulated(file);

  const predicted = ids.map((id) => report.each.find(({ requestId }) => requestId === id));
  expect(code).toBe(2);
  expect(report.base).toBe('r1');
  const untold = TRAFFIC.filter((_, i) => predicted[i]?.result === 'unknown');
  expect(untold, JSON.stringify(predicted.filter((one) => one?.result === 'unknown'))).toEqual(UNTOLD);

  expect((await world.sluice('apply', file)).code).toBe(0);
  await forgetCounts();
  const after = (await world.records(await world.drive(TRAFFIC))).map(fateOf);

  const wrong = TRAFFIC.flatMap((sent, i) => {
    const one = predicted[i];
    if (one === undefined || one.result === 'unknown') return [];
    const happened = after[i] as Fate;
    const isRight =
      isSameFate(happened, one.would) &&
      (one.result === 'same') === (JSON.stringify(before[i]) === JSON.stringify(happened));
    return isRight ? [] : [{ ...sent, predicted: one, before: before[i], happened }];
  });
  expect(wrong).toEqual([]);
  expect(report.changes).toBe(before.filter((fate, i) => !isEqual(fate, after[i]) && !isUntold(i)).length);
  expect(report.tenants.find(({ tenant }) => tenant === 'tenant-a')).toMatchObject({ requests: 20 });
});

const isUntold = (i: number): boolean => UNTOLD.includes(TRAFFIC[i] as (typeof UNTOLD)[number]);
const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A status is predicted where the request goes where it went; what another upstream says nobody knows. */
const isSameFate = (happened: Fate, would: Predicted['each'][number]['would']): boolean =>
  would !== undefined &&
  happened.route === would.route &&
  happened.verdict === would.verdict &&
  happened.plugin === would.plugin &&
  happened.code === would.code &&
  (would.status === undefined || happened.status === would.status) &&
  (would.upstream === undefined || would.upstream.includes(`//${happened.target}/`));

/** The month begins anew, as far as the limiter knows. */
const forgetCounts = async (): Promise<void> => {
  const redis = new Redis(world.gateway.ready.redis);
  await redis.flushdb();
  redis.disconnect();
};

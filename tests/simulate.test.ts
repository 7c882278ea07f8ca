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
      - { name: wide, paths: [/wide], plugins: [${limit(2)}, { name: quota-mirror }] }
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
      - { name: wide, paths: [/wide], plugins: [${limit(4)}, { name: quota-mirror }] }
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

test('given a configuration that is in force already, when it is simulated, then nothing changes, also not for requests that an earlier one served', async () => {
  const { code, report } = await simulated(world.write('again.yml', candidate(world.ports)));

  expect({ code, changes: report.changes, base: report.base }).toEqual({ code: 0, changes: 0, base: 'r2' });
  expect(report.each).toHaveLength(2 * TRAFFIC.length);
  const untold = report.each.filter(({ result }) => result === 'unknown');
  expect([...new Set(untold.map(({ why }) => why))]).toEqual([
    'no record has the value of the header authorization',
  ]);
});

test('given a configuration that is not valid, then simulate names the place and ends with 1', async () => {
  const broken = world.write(
    'broken.yml',
    live(world.ports).replace('name: open, paths', 'name: open, pathz'),
  );

  const { code, out, err } = await world.sluice('simulate', broken);

  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain('pathz');
  const { status } = await world.gateway.admin('/sluice/simulate?since=never', {
    method: 'POST',
    body: '{}',
  });
  expect(status).toBe(400);
});

test('given no gateway that answers, then simulate says so and ends with 3', async () => {
  const file = world.write('any.yml', live(world.ports));

  const { code, err } = await world.sluice('simulate', file, '--admin', 'http://127.0.0.1:1');

  expect(code).toBe(3);
  expect(err).toContain('does not answer');
});

test('simulate shows people the sums by tenant, and one request of each kind of change', async () => {
  const { code, out } = await world.sluice('simulate', world.write('back.yml', live(world.ports)));

  expect(code).toBe(2);
  expect(out).toMatch(/against r2: \d+ entities put, \d+ deleted/);
  expect(out).toMatch(/tenant-a {2}\d+ of 40 requests change/);
  expect(out).toMatch(/now {4}no route: refused 404 GW_NO_ROUTE\n {6}would {2}old: forwarded to /);
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

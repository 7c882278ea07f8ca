import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type CallOptions, call, eventually } from '@sluice/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExplainWorld, tokenOf } from './explain-world.ts';
import { natsClient } from './gateway.ts';

// One fleet; the tests that take parts away stand at the end.
let world: ExplainWorld;
beforeAll(async () => {
  world = await ExplainWorld.start();
});
afterAll(() => world[Symbol.asyncDispose]());

const proxy = (path: string, options: CallOptions = {}): Promise<Answer> =>
  call(world.gateway.ready.proxy, path, options);

/** What `sluice explain` says about an answer. */
const explained = async ({ headers }: Answer): Promise<string> => {
  const id = `${headers['x-kong-request-id']}`;
  return eventually(async () => {
    const { code, out, err } = await world.sluice('explain', id);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return out;
  });
};

const expectAll = (text: string, parts: readonly string[]): void => {
  for (const part of parts) expect(text).toContain(part);
};

const bearer = (token: string, headers = {}): CallOptions => ({
  headers: { authorization: `Bearer ${token}`, ...headers },
});

test.each([
  ['no token', 401, '/guarded', {}, ['no_credential', 'plugin jwt', 'of route guarded']],
  [
    'an expired token',
    ...[401, '/guarded', bearer(tokenOf({ inSeconds: -10 }))],
    ['token_expired', 'past its exp', 'plugin jwt', 'of route guarded'],
  ],
  [
    'a signature that does not fit',
    ...[401, '/guarded', bearer(tokenOf({ secret: 'another' }))],
    ['invalid_signature', 'plugin jwt', 'of route guarded'],
  ],
  [
    'an issuer that nobody has',
    ...[401, '/guarded', bearer(tokenOf({ iss: 'nobody' }))],
    ['no_credentials', 'key or issuer', 'of route guarded'],
  ],
  [
    'a consumer without the group',
    ...[403, '/members', { headers: { apikey: 'alices-api-key' } }],
    ['forbidden', 'plugin acl', 'of route members', 'allowed groups: gold', 'groups: silver'],
  ],
  [
    'a tenant that the token does not name',
    ...[403, '/guarded', bearer(tokenOf({ tenant: 'tenant-own' }), { 'x-tenant-id': 'tenant-foreign' })],
    [
      'tenant_mismatch',
      'says "tenant-foreign", but the credential is of "tenant-own"',
      'plugin tenant-binding',
    ],
  ],
  ['a path of no route', 404, '/nowhere', {}, ['no_route', 'routes 10', 'GET /nowhere']],
  [
    'a method that the route does not take',
    ...[404, '/only-get', { method: 'DELETE' }],
    ['no_route', 'route only-get has the path, but only for GET'],
  ],
  [
    'a body that is too large',
    ...[413, '/small', { method: 'POST', body: 'x'.repeat(2000) }],
    ['body_too_large', 'body_bytes 2000 of 1024', 'of route small', 'allowed_payload_size'],
  ],
  ['an upstream that refuses connections', 502, '/dead', {}, ['upstream_invalid', '127.0.0.1:1', 'tries 1']],
  [
    'an upstream that says nothing',
    ...[504, '/slow', {}],
    ['upstream_timeout', 'within 150 ms', 'of 150', 'read_timeout'],
  ],
  [
    'an upstream that limits by itself',
    ...[429, '/open/own-429', {}],
    ['upstream_answer', 'upstream_status 429', 'itself answered 429'],
  ],
] as [string, number, string, CallOptions, string[]][])(
  'given %s, when the request ended with %d, then explain names the cause, the policy and the number',
  async (_what, status, path, options, parts) => {
    const answer = await proxy(path, options);
    expect(answer.status).toBe(status);

    expectAll(await explained(answer), [`${status}: `, ...parts]);
  },
);

test('given a limit of 3 an hour, when the fourth request is refused, then explain names the budget, the limit and how to change it', async () => {
  const headers = { 'x-tenant-id': 'tenant-limited' };
  const answers: Answer[] = [];
  for (let i = 0; i < 4; i++) answers.push(await proxy('/limited', { headers }));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);

  expectAll(await explained(answers[3] as Answer), [
    'tenant-limited has used 3 of 3 requests an hour',
    'cause       rate_limit',
    'number      used_per_hour 3 of 3',
    'PATCH /plugins/',
    'of route limited',
  ]);
  expectAll(await explained(answers[0] as Answer), ['200: answered by', 'left 2 of 3 an hour']);
});

test('given a quota that is used up, when the policy blocks, then explain names the quota, what is used and the limit', async () => {
  const connection = await connect(natsClient(world.gateway.ready.nats));
  const now = Date.now();
  const payload = {
    ...{ limit: 100, used: 120, remaining: 0, period: 'monthly' },
    resetAt: new Date(now + 86_400_000).toISOString(),
  };
  await connection.jetstream().publish(
    'quota.updated',
    JSON.stringify({
      ...{ eventId: crypto.randomUUID(), occurredAt: new Date(now).toISOString(), tenantId: 'tenant-paid' },
      ...{ platformId: 'platform-1', correlationId: 'c-1', actor: 'litellm', payload },
    }),
  );
  await connection.close();
  const answer = await eventually(async () => {
    const one = await proxy('/paid', { headers: { 'x-tenant-id': 'tenant-paid' } });
    expect(one.status).toBe(429);
    return one;
  });

  await eventually(async () => {
    const { code, out } = await world.sluice('quota', 'list', '--show', 'exceeded', '--search', 'PAID');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^120 % {2}tenant-paid {2}120 of 100 used, resets at /),
    ]);
  });
  expectAll(await explained(answer), [
    'tenant tenant-paid has used 120 of its quota of 100',
    'cause       quota',
    'quota_used 120 of 100',
    'of route paid',
  ]);
});

test('given a token that passed, when its consumer is revoked, then explain says so', async () => {
  const token = bearer(tokenOf());
  expect((await proxy('/guarded', token)).status).toBe(200);
  const { code } = await world.sluice('token', 'revoke', '--consumer', 'alice');
  expect(code).toBe(0);
  const answer = await proxy('/guarded', token);
  expect(answer.status).toBe(401);

  expectAll(await explained(answer), ['token_revoked', 'plugin jwt', 'sluice token revocations']);
});

test('given an id that nobody has, then explain says where it looked', async () => {
  const { code, err } = await world.sluiceProcess('explain', '0123456789abcdef0123456789abcdef');

  expect(code).toBe(1);
  expect(err).toContain('the stream of decisions does not have it');
});

test('tail shows what fits its filters, one line each, and the same as JSON', async () => {
  const { code, out } = await world.sluice('tail', '--tenant', 'tenant-limited', '--status', '429');
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(1);
  expectAll(out, ['429', 'GET /limited', 'tenant-limited', 'limited', 'GW_RATE_LIMITED']);

  const { out: json } = await world.sluice('tail', '--route', 'limited', '--json');
  const statuses = json
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { status: number }).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
});

test('top sums up both edges once for a script', async () => {
  const { code, out } = await world.sluice('top', '--json', '--seconds', '600');
  expect(code).toBe(0);
  const view = JSON.parse(out) as { edges: object; tenants: { name: string; refusedPerSecond: number }[] };
  expect(view.edges).toEqual({ live: 2, answered: 2 });
  const limited = view.tenants.find(({ name }) => name === 'tenant-limited');
  expect((limited?.refusedPerSecond ?? 0) * 600).toBeCloseTo(1, 3);

  expectAll((await world.sluice('top', '--once', '--seconds', '600')).out, [
    '2 of 2 edges',
    'tenant-limited',
  ]);
});

test('given a fleet in health, then doctor finds nothing and ends with 0', async () => {
  const { code, out } = await world.sluiceProcess('doctor');

  expect(out).not.toMatch(/[!✖]/);
  expect(code).toBe(0);
  expectAll(out, [
    'nats',
    'redis',
    'auth',
    'ratelimit',
    '2 of 2 answer',
    'clock redis',
    'quota events',
    'none of 6 processes was refused anything',
  ]);
});

test('given more than the edges can do, when one of them sheds, then explain names the gate, how late the loop was and of what', async () => {
  // All at once: while an edge is at the first, the others come, and it has them all in its next turn.
  const shed = await eventually(async () => {
    const answers = await Promise.all(Array.from({ length: 32 }, () => proxy('/burn')));
    const refused = answers.find(({ status }) => status === 503);
    if (refused === undefined) throw new Error(`${answers.length} requests at once, and none was shed`);
    return refused;
  }, 45_000);

  const text = await explained(shed);
  expectAll(text, [
    ...['503: ', 'GET /burn', 'could not keep up', 'cause       overloaded', 'decided by  gateway'],
    ...['the overload gate of the edge, OVERLOAD_LAG_MS=50', 'requests a second then', 'add an edge'],
  ]);
  expect(text).toMatch(/number {6}event_loop_lag_ms \d+ of 50$/m);
  // Whoever comes next must not meet the end of it.
  await eventually(async () => {
    const { text: metrics } = await world.gateway.admin('/metrics');
    const states = [...metrics.matchAll(/^sluice_overload_state(?:\{[^}]*\})? (\d)$/gm)];
    expect(states.map(([, value]) => value)).toEqual(['0', '0']);
  }, 45_000);
});

test('given the edges have forgotten a refusal, then explain finds it in the stream', async () => {
  const answer = await proxy('/nowhere/long-ago');
  const connection = await connect(natsClient(world.gateway.ready.nats));
  const { streams } = await connection.jetstreamManager();
  await eventually(async () => {
    // Both edges tell, the other one perhaps later.
    const { state } = await streams.info('DECISIONS');
    const newest = Array.from({ length: Math.min(20, state.messages) }, (_, back) => state.last_seq - back);
    const told = await Promise.all(newest.map((seq) => streams.getMessage('DECISIONS', { seq })));
    expect(told.map((message) => message.string()).join('')).toContain(answer.headers['x-kong-request-id']);
  });
  await connection.close();
  for (const pid of world.gateway.ready.pids['edge-proxy']) process.kill(pid, 'SIGSTOP');
  try {
    expectAll(await explained(answer), ['no_route', 'GET /nowhere/long-ago']);
  } finally {
    for (const pid of world.gateway.ready.pids['edge-proxy']) process.kill(pid, 'SIGCONT');
  }
});

test('given users of the bus that are older than a contract, then doctor names who was refused what, and what to do', async () => {
  const file = join(world.gateway.dataDir, 'nats.conf');
  const before = readFileSync(file, 'utf8');
  const reload = (text: string) => {
    writeFileSync(file, text);
    world.gateway.signal('nats-server', 'SIGHUP');
  };
  reload(before.replace(/"decision\.recorded"\n/, '"decision.of.old"\n'));
  await eventually(async () => {
    await proxy('/nowhere');
    const { code, out } = await world.sluice('doctor');
    expect(code).toBe(1);
    expect(out).toMatch(
      /! permissions {6}NATS refuses \S+ \(user edge-proxy\) to publish decision\.recorded: \d+ times?, the last \d+ s ago\n {2}→ bring deploy\/nats\/users\.conf/,
    );
  });
  reload(before);
});

test('given auth hangs, then 503 is explained with its time, and doctor says what to do and ends with 3', async () => {
  world.gateway.signal('auth', 'SIGSTOP');
  const answer = await proxy('/members', { headers: { apikey: 'never-seen' } });
  expect(answer.status).toBe(503);

  expectAll(await explained(answer), ['auth_unavailable', 'plugin key-auth', 'timeout_ms 1000']);
  const { code, out } = await world.sluice('doctor');
  expect(code).toBe(3);
  expect(out).toMatch(/✖ auth .*\n {2}→ start auth/);
});

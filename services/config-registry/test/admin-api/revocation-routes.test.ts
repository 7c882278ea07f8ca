import { followRevocations } from '@sluice/config-log';
import { authRevoked, STREAMS } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { edgesSeen, runEdge, runRegistry } from '../registry-world.ts';

const PATH = '/sluice/revocations';

/** An edge that follows the configuration and, unless it is deaf, the list of revoked tokens. */
const runFollower = async (natsUrl: string, instance: string, { isDeaf = false } = {}) => {
  const edge = await runEdge(natsUrl, instance);
  const logger = silentLogger();
  const { bus } = edge;
  const confirmAs = { process: 'edge-proxy', instance };
  const parts = { bus, jetstream: new JetStream(bus), logger };
  const follower = followRevocations(isDeaf ? parts : { ...parts, confirmAs });
  await follower.waitUntilRead(10_000);
  await (await bus.connection).flush();
  return {
    list: follower.list,
    async [Symbol.asyncDispose]() {
      follower.stop();
      await edge[Symbol.asyncDispose]();
    },
  };
};

test('given edges, when a subject is revoked, then the answer comes when all refuse it, and it is listed', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await using one = await runFollower(nats.url, 'edge-1');
  await using two = await runFollower(nats.url, 'edge-2');
  await edgesSeen(registry, 2);
  const before = Date.now();

  const answer = await registry.send(
    'POST',
    PATH,
    { by: 'subject', value: 'user-1', issuer: 'https://issuer.test', reason: 'laptop stolen' },
    { 'x-sluice-author': 'olga' },
  );

  const token = { subject: 'user-1', issuer: 'https://issuer.test', issuedAtMs: before };
  expect(one.list.refuses(token) && two.list.refuses(token)).toBe(true);
  expect(answer.status).toBe(201);
  expect(answer.body).toEqual({
    revocation: {
      by: 'subject',
      value: 'user-1',
      issuer: 'https://issuer.test',
      reason: 'laptop stolen',
      notBefore: expect.stringMatching(/^\d{4}-.*:\d\d\.000Z$/),
      revokedAt: expect.any(String),
      revokedBy: 'olga',
    },
    isNew: true,
    confirmation: { edges: { live: 2, confirmed: 2 }, auth: { live: 0, confirmed: 0 }, missing: [] },
  });
  const { revocation } = answer.body as { revocation: { notBefore: string } };
  expect(Date.parse(revocation.notBefore)).toBeGreaterThanOrEqual(before);
  expect((await registry.send('GET', PATH)).body).toEqual({ data: [revocation], total: 1 });
});

test('given an edge that does not confirm, then it is named', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await using _one = await runFollower(nats.url, 'edge-1');
  await using _deaf = await runFollower(nats.url, 'edge-deaf', { isDeaf: true });
  await edgesSeen(registry, 2);
  const { status, body } = await registry.send('POST', PATH, { by: 'jti', value: 'token-1' });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    confirmation: { edges: { live: 2, confirmed: 1 }, missing: ['edge-deaf'] },
  });
});

test('given it is revoked already, then the later instant stays', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  const revoke = async (notBefore: string) => {
    const { status, body } = await registry.send('POST', PATH, { by: 'tenant', value: 't', notBefore });
    const { revocation } = body as { revocation: { notBefore: string } };
    return { status, notBefore: revocation.notBefore };
  };
  const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
  expect(await revoke('2026-01-02T02:00:00+02:00')).toEqual({ status: 201, notBefore: late });
  expect(await revoke(early)).toEqual({ status: 200, notBefore: late });
});

test('a consumer is named by id or username', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  const alice = await registry.send('POST', '/consumers', { username: 'alice' });
  for (const value of ['alice', alice.body?.id]) {
    const { body } = await registry.send('POST', PATH, { by: 'consumer', value });
    expect(body?.revocation).toMatchObject({ by: 'consumer', value: alice.body?.id });
  }
});

test('what is asked wrongly is refused by field, and nothing is revoked', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  for (const [wrong, problem] of [
    [{ by: 'name', value: 'x' }, /^by: /],
    [{ by: 'subject' }, /^value: /],
    [{ by: 'subject', value: '' }, /^value: /],
    [{ by: 'subject', value: 'x', notBefore: 'yesterday' }, /^notBefore: /],
    [{ by: 'subject', value: 'x', notBefore: tomorrow }, /^notBefore: .*ahead/],
    [{ by: 'subject', value: 'x', untill: 'now' }, /untill/],
    [{ by: 'consumer', value: 'nobody' }, /^value: .*no such consumer/],
    [new URLSearchParams({ by: 'subject' }), /JSON/],
  ] as const) {
    const { status, body } = await registry.send('POST', PATH, wrong);
    expect(status).toBe(400);
    expect(body).toEqual({
      error: { code: 'invalid_request', message: expect.stringMatching(problem), details: {} },
    });
  }
  expect((await registry.send('GET', PATH)).body).toEqual({ data: [], total: 0 });
});

test('given the bus is away, then nothing is revoked and the answer says so', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await nats.kill();
  await eventually(() => !registry.bus.isConnected);
  const { status, headers, body } = await registry.send('POST', PATH, { by: 'tenant', value: 't' });
  expect(status).toBe(503);
  expect(headers.get('retry-after')).toBe('1');
  expect(body).toMatchObject({ error: { code: 'revocations_unavailable' } });
  await nats.start();
  await eventually(async () => {
    expect((await registry.send('POST', PATH, { by: 'tenant', value: 't' })).status).toBe(201);
  });
});

test('given the stream was lost, then it is made anew with what the registry knows', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  for (const value of ['t-1', 't-2']) await registry.send('POST', PATH, { by: 'tenant', value });
  const { manager } = await registry.jetstream.raw();
  await manager.streams.delete(STREAMS.REVOCATIONS.name);
  await nats.kill();
  await nats.start();

  const bus = Bus.open({ url: nats.url, name: 'reader', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  await eventually(async () => {
    const { messages } = await jetstream.streamInfo(STREAMS.REVOCATIONS.name);
    expect(messages).toBe(2);
  });
  const stored = await jetstream.readNext(STREAMS.REVOCATIONS.name, 'auth.revoked.*', 1);
  expect(authRevoked.payload.parse(JSON.parse(new TextDecoder().decode(stored?.data)))).toMatchObject({
    payload: { by: 'tenant', value: 't-1' },
  });
  await bus.close();
});

test('the list is full: what is new is refused in plain words, what is on it may still be sharpened', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await registry.send('POST', PATH, { by: 'tenant', value: 't', notBefore: '2026-01-01T00:00:00Z' });
  const { manager } = await registry.jetstream.raw();
  await manager.streams.update(STREAMS.REVOCATIONS.name, { max_msgs: 1 });
  expect(await registry.send('POST', PATH, { by: 'tenant', value: 'u' })).toMatchObject({
    status: 507,
    body: { error: { code: 'revocations_full' } },
  });
  expect((await registry.send('POST', PATH, { by: 'tenant', value: 't' })).status).toBe(201);
});

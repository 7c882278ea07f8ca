import { auditHash, auditRecorded, ChainVerifier } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { AuditLog, type Note } from '../src/audit/audit-log.ts';
import { runRegistry, yamlOf } from './registry-world.ts';

type Recorded = z.output<typeof auditRecorded.payload>;

/** Every record there is, in the stream's order, as it was written. */
const recordsOf = async (jetstream: JetStream): Promise<Recorded[]> => {
  const { lastSeq } = await jetstream.streamInfo('AUDIT');
  const messages = await Promise.all(
    Array.from({ length: lastSeq }, (_, at) => jetstream.readAt('AUDIT', at + 1)),
  );
  return messages.map((message) => JSON.parse(Buffer.from(message?.data ?? []).toString()));
};

const problemsIn = (records: readonly unknown[]): string[] => {
  const verifier = new ChainVerifier();
  for (const record of records) verifier.add(record);
  return verifier.faults.map(({ sequence, problem }) => `${sequence}: ${problem}`);
};

const untilRecorded = (jetstream: JetStream, action: string, count = 1): Promise<Recorded[]> =>
  eventually(async () => {
    const found = (await recordsOf(jetstream)).filter(({ payload }) => payload.action === action);
    if (found.length < count) throw new Error(`${found.length} of ${count} records`);
    return found;
  });

const note = (text: string): Note => ({
  actor: 'somebody',
  entry: { action: 'test.written', outcome: 'done', message: text },
});

/** A writer of its own with its own connection, as another registry. */
const writerOn = async (nats: ServerProcess, instance: string) => {
  const bus = Bus.open({ url: nats.url, name: instance, logger: silentLogger() });
  const jetstream = new JetStream(bus);
  const audit = new AuditLog({ jetstream, instance, logger: silentLogger() });
  await bus.connection;
  return { bus, jetstream, audit, [Symbol.asyncDispose]: () => bus.close() };
};

test('given changes by the Admin API, then each is a record with author, address, and what it was before and after', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  const by = { 'x-sluice-author': 'ops@example.test', 'x-sluice-message': 'more patience' };

  const { body: service } = await registry.send('POST', '/services', { name: 'one', host: 'one.test' }, by);
  await registry.send('PATCH', '/services/one', { read_timeout: 90_000 }, by);
  await registry.send('DELETE', '/services/one', undefined, by);

  const [created, updated, deleted] = await untilRecorded(registry.jetstream, 'config.committed', 3);
  expect(created).toMatchObject({
    actor: 'ops@example.test',
    payload: {
      outcome: 'done',
      message: 'more patience',
      source: { process: 'config-registry', instance: 'registry-1', address: '127.0.0.1' },
      revision: { version: 1, prevVersion: 0 },
      changes: [
        { op: 'created', kind: 'services', id: service?.id, before: null, after: { host: 'one.test' } },
      ],
    },
  });
  expect(updated?.payload.changes).toEqual([
    {
      ...{ op: 'updated', kind: 'services', id: service?.id },
      ...{ before: { read_timeout: 60_000 }, after: { read_timeout: 90_000 } },
    },
  ]);
  expect(deleted?.payload.changes).toMatchObject([{ op: 'deleted', before: { name: 'one' }, after: null }]);
  const all = await recordsOf(registry.jetstream);
  expect(all).toHaveLength(3); // one for each commit, and no second one for the request that made it
  expect(problemsIn(all)).toEqual([]);
});

test('given secrets change, then the record says that they did and not to what', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await registry.send('POST', '/consumers', { username: 'c' });
  await registry.send('POST', '/consumers/c/key-auth', { key: 'canary-key-1' });
  await registry.send('POST', '/consumers/c/jwt', { key: 'issuer', secret: 'canary-secret-1' });
  await registry.send('PUT', '/consumers/c/jwt/issuer', { secret: 'canary-secret-2' });
  await registry.send('DELETE', '/consumers/c/key-auth/canary-key-1');
  await registry.send('PATCH', '/consumers/c/key-auth/canary-key-2', { key: 'canary-key-3' }); // 404

  const commits = await untilRecorded(registry.jetstream, 'config.committed', 5);
  await untilRecorded(registry.jetstream, 'admin.requested');

  expect(commits[3]?.payload.changes).toMatchObject([
    { op: 'updated', before: { secret: '[redacted]' }, after: { secret: '[redacted]' } },
  ]);
  const text = JSON.stringify(await recordsOf(registry.jetstream));
  expect(text).toContain('/consumers/c/key-auth/[redacted]');
  expect(text).not.toContain('canary');
});

test('given requests that change no configuration, then what was refused or done is recorded before it is answered', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  const requests = async () =>
    (await recordsOf(registry.jetstream)).map(({ payload }) => [
      payload.action,
      payload.outcome,
      payload.request?.path,
      payload.request?.status,
    ]);

  await registry.send('POST', '/services', { name: 'no host', host: 12 });
  expect(await requests()).toEqual([['admin.requested', 'refused', '/services', 400]]);
  await registry.postYaml('_format_version: "9"');
  await registry.send('PUT', '/debug/node/log-level/debug');
  await registry.send('POST', '/sluice/revocations', { by: 'subject', value: 'user-1' });
  await registry.send('GET', '/services');

  expect((await requests()).slice(1)).toEqual([
    ['admin.requested', 'refused', '/config', 400],
    ['admin.requested', 'done', '/debug/node/log-level/debug', 200],
    ['token.revoked', 'done', undefined, undefined],
  ]);
  expect(problemsIn(await recordsOf(registry.jetstream))).toEqual([]);
});

test('given a first import of thousands, then one record tells its beginning and how many more there are', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);

  await registry.postYaml(yamlOf(2000));

  const [imported] = await untilRecorded(registry.jetstream, 'config.committed');
  const { changes = [], changesLeftOut = 0 } = imported?.payload ?? {};
  expect(changes.length).toBeGreaterThan(100);
  expect(changes.length + changesLeftOut).toBe(4000);
  expect(JSON.stringify(imported).length).toBeLessThan(512 * 1024);
});

test('given two registries write at once, then they keep one chain', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url); // has made the stream
  await using one = await writerOn(nats, 'registry-a');
  await using other = await writerOn(nats, 'registry-b');

  const texts = Array.from({ length: 40 }, (_, at) => `${at}`);
  await Promise.all(
    texts.flatMap((text) => [one.audit.record(note(`a${text}`)), other.audit.record(note(`b${text}`))]),
  );
  await eventually(() => one.audit.pending + other.audit.pending === 0);

  const records = await recordsOf(registry.jetstream);
  expect(problemsIn(records)).toEqual([]);
  const messages = records.map(({ payload }) => payload.message);
  expect(messages.toSorted()).toEqual(texts.flatMap((text) => [`a${text}`, `b${text}`]).toSorted());
});

test('given the stream does not answer, then the request is answered, the record waits, and it is stored once', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await using writer = await writerOn(nats, 'registry-a');
  await writer.audit.record(note('before'));

  nats.freeze();
  await writer.audit.record(note('meanwhile'));
  expect(writer.audit.pending).toBe(1);
  nats.thaw();

  await eventually(() => writer.audit.pending === 0);
  const records = await recordsOf(registry.jetstream);
  expect(records.map(({ payload }) => payload.message)).toEqual(['before', 'meanwhile']);
  expect(problemsIn(records)).toEqual([]);
  expect(writer.audit.counts).toEqual({ stored: 2, lost: 0 });
});

test('given a commit was derived and its answer lost, when it is told again, then there is one record of it', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await using writer = await writerOn(nats, 'registry-a');
  const again = { ...note('a commit'), eventId: 'commit:1' };

  await writer.audit.append(again);
  await writer.audit.record(note('something else'));
  await writer.audit.append({ ...again, isRepeated: true });

  expect((await recordsOf(registry.jetstream)).map(({ payload }) => payload.message)).toEqual([
    'a commit',
    'something else',
  ]);
});

const CHAIN = (() => {
  const records: Recorded[] = [];
  let before = '0'.repeat(64);
  for (let sequence = 1; sequence <= 5; sequence++) {
    const example = auditRecorded.examples[0]?.payload as Recorded;
    const unsigned = {
      ...example,
      payload: { ...example.payload, sequence, prevHash: before, message: `${sequence}` },
    };
    before = auditHash(unsigned);
    records.push({ ...unsigned, payload: { ...unsigned.payload, hash: before } });
  }
  return records;
})();
const changed = (change: (records: Recorded[]) => void): Recorded[] => {
  const records = structuredClone(CHAIN);
  change(records);
  return records;
};
const resigned = (record: Recorded): Recorded => ({
  ...record,
  payload: { ...record.payload, hash: auditHash(record) },
});

test.each<[string, Recorded[], string]>([
  ['edited', changed((all) => Object.assign(all[2]?.payload ?? {}, { message: 'nothing' })), '3: edited'],
  ['given another author', changed((all) => Object.assign(all[2] ?? {}, { actor: 'nobody' })), '3: edited'],
  ['given a field more', changed((all) => Object.assign(all[2] ?? {}, { note: 'x' })), '3: edited'],
  [
    'edited and hashed anew',
    changed((all) => all.splice(2, 1, resigned({ ...(all[2] as Recorded), actor: 'nobody' }))),
    '4: does not follow',
  ],
  ['removed', changed((all) => all.splice(2, 1)), '4: removed'],
  ['removed at the beginning', changed((all) => all.splice(0, 1)), '2: removed'],
  ['moved', changed((all) => all.splice(1, 2, all[2] as Recorded, all[1] as Recorded)), '3: removed'],
  ['inserted', changed((all) => all.splice(2, 0, structuredClone(all[1] as Recorded))), '2: inserted'],
  [
    'inserted with a sequence of its own',
    changed((all) => {
      const { payload } = all[2] as Recorded;
      all.splice(2, 0, resigned({ ...(all[2] as Recorded), actor: 'forger', payload: { ...payload } }));
    }),
    '3: inserted',
  ],
])('given a record was %s, then the chain says where', (_what, records, problem) => {
  expect(problemsIn(CHAIN)).toEqual([]);
  expect(
    problemsIn(records).some((one) => one.startsWith(problem)),
    problemsIn(records).join('; '),
  ).toBe(true);
});

test('given something that is no record, then the chain says so', () => {
  expect(problemsIn([...CHAIN, { hello: 1 }, 'text', null])).toHaveLength(3);
});

test('the records are read by the Admin API, the newest first and in pages; what is no record is passed over', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  const by = { 'x-sluice-author': 'ops@example.test', 'x-sluice-message': 'more patience' };
  await registry.send('POST', '/services', { name: 'one', host: 'one.test' }, by);
  await untilRecorded(registry.jetstream, 'config.committed');
  await registry.send('POST', '/services', { name: 'one' });
  await untilRecorded(registry.jetstream, 'admin.requested');
  await registry.jetstream.append(auditRecorded.subject, 'scribbled');

  const first = await registry.send('GET', '/sluice/audit?limit=2');
  expect(first.body).toMatchObject({
    data: [{ action: 'admin.requested', outcome: 'refused', request: { method: 'POST', path: '/services' } }],
    next: '/sluice/audit?limit=2&before=2',
  });
  expect((await registry.send('GET', `${first.body?.next}`)).body).toMatchObject({
    data: [
      {
        ...{ actor: 'ops@example.test', action: 'config.committed', message: 'more patience', version: 1 },
        changes: [{ op: 'created', kind: 'services' }],
      },
    ],
    next: null,
  });
  const wrong = await registry.send('GET', '/sluice/audit?limit=1000');
  expect([wrong.status, wrong.body]).toMatchObject([400, { error: { code: 'invalid_request' } }]);
});

test('a login is recorded with who it was, a bad one too; that somebody opened the console is not', async () => {
  await using nats = await startNats();
  const ada = 'a'.repeat(32);
  await using registry = await runRegistry(nats.url, { env: { ADMIN_TOKENS: `ada:admin:${ada}` } });
  expect((await registry.send('GET', '/sluice/session')).status).toBe(401);
  expect((await registry.send('POST', '/sluice/login', { token: 'wrong' })).status).toBe(401);
  expect((await registry.send('POST', '/sluice/login', { token: ada })).status).toBe(200);
  expect(
    (await registry.send('GET', '/sluice/session', undefined, { cookie: 'sluice_session=forged' })).status,
  ).toBe(401);

  const records = await untilRecorded(registry.jetstream, 'admin.requested', 3);
  expect(
    records.map(({ actor, payload }) => [actor, payload.request?.path, payload.request?.status]),
  ).toEqual([
    ['admin-api', '/sluice/login', 401],
    ['ada', '/sluice/login', 200],
    ['admin-api', '/sluice/session', 401],
  ]);
});

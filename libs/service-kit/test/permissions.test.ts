import {
  authVerify,
  BUS_USERS,
  type BusUser,
  configCommitted,
  contracts,
  inboxPrefixOf,
  natsAuthorization,
  permissionsOf,
  quotaUpdated,
  STREAMS,
  type StreamDefinition,
  subjectPattern,
} from '@sluice/contracts';
import { eventually, type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bus, JetStream } from '../src/index.ts';

const PROCESSES = BUS_USERS.filter((user) => user !== 'operator');
const streams: readonly StreamDefinition[] = Object.values(STREAMS);

/** A subject that no user has. */
const NOBODYS = 'nobodys.subject';

let nats: ServerProcess;
const opened: { close: () => Promise<void> }[] = [];

const login = async (user: BusUser): Promise<NatsConnection> => {
  const options = { user, pass: user, inboxPrefix: inboxPrefixOf(user), ignoreAuthErrorAbort: true };
  const connection = await connect({ servers: nats.url, ...options });
  opened.push(connection);
  return connection;
};

const busOf = (user: BusUser): Bus => {
  const bus = Bus.open({
    url: nats.url,
    user,
    password: user,
    name: user,
    part: user,
    logger: silentLogger(),
  });
  opened.push(bus);
  return bus;
};

beforeAll(async () => {
  nats = await startNats({ config: natsAuthorization((user) => JSON.stringify(user)) });
  for (const keeper of ['config-registry', 'quota-mirror'] as const) {
    const jetstream = new JetStream(busOf(keeper));
    for (const stream of streams.filter((one) => one.keeper === keeper)) await jetstream.ensureStream(stream);
  }
});

afterAll(async () => {
  for (const connection of opened) await connection.close();
  await nats[Symbol.asyncDispose]();
});

/** Which of these the server refused, in its own words: `publish quota.updated`. */
const refusedOf = async (
  user: BusUser,
  attempt: (connection: NatsConnection) => void,
): Promise<Set<string>> => {
  const connection = await login(user);
  const refused = new Set<string>();
  void (async () => {
    for await (const { type, permissionContext } of connection.status())
      if (type === 'error' && permissionContext !== undefined)
        refused.add(`${permissionContext.operation} ${permissionContext.subject}`);
  })();
  attempt(connection);
  connection.publish(NOBODYS); // the server refuses in order: with this one it has refused all it will
  await eventually(() => refused.delete(`publish ${NOBODYS}`));
  await connection.close();
  return refused;
};

const concrete = (pattern: string): string => pattern.replaceAll('*', 'x').replace(/>$/, 'x.y');

/** Every subject that anybody speaks, and what an intruder would try besides. */
const SUBJECTS = [
  ...new Set([
    ...contracts.map((contract) => concrete(subjectPattern(contract))),
    ...PROCESSES.flatMap((user) => permissionsOf(user).publish.map(concrete)),
    ...BUS_USERS.map((user) => `${inboxPrefixOf(user)}.abc.1`),
    ...streams.flatMap(({ name }) =>
      ['DELETE', 'PURGE', 'UPDATE', 'CREATE', 'MSG.GET', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE'].map(
        (verb) => `$JS.API.STREAM.${verb}.${name}`,
      ),
    ),
    ...streams.flatMap(({ name }) => [
      `$JS.API.CONSUMER.CREATE.${name}`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${name}.spy`,
      `$JS.API.CONSUMER.DELETE.${name}.quota-mirror`,
      `$JS.API.CONSUMER.MSG.NEXT.${name}.config-events`,
      `$JS.ACK.${name}.quota-mirror.1.1.1.1.0`,
    ]),
    ...['$JS.API.INFO', '$JS.API.STREAM.NAMES', '$JS.API.STREAM.LIST', '$JS.API.ACCOUNT.PURGE.x'],
    ...['$SYS.REQ.SERVER.PING', '$SYS.REQ.ACCOUNT.PING.CONNZ', '$SRV.PING', 'x', 'secret.cmd'],
  ]),
];

/** Does a list of allowed patterns hold this concrete subject? */
const isIn = (allowed: readonly string[], subject: string): boolean =>
  allowed.some((pattern) => {
    const [wide, narrow] = [pattern.split('.'), subject.split('.')];
    const tail = wide.indexOf('>');
    const fits = wide.every((token, i) => token === '>' || token === '*' || token === narrow[i]);
    return fits && (tail === -1 ? wide.length === narrow.length : narrow.length > tail);
  });

describe.each(PROCESSES)('%s', (user) => {
  test('may publish what its contracts say and nothing else of all that is spoken', async () => {
    const refused = await refusedOf(user, (connection) => {
      for (const subject of SUBJECTS) connection.publish(subject, 'x');
    });

    const { publish } = permissionsOf(user);
    for (const subject of SUBJECTS)
      expect(refused.has(`publish ${subject}`), subject).toBe(!isIn(publish, subject));
  });

  test('may subscribe to what its contracts say and nothing else of all that is spoken', async () => {
    const wide = ['>', '*', '*.>', '$JS.>', '$JS.API.>', '$JS.ACK.>', '$SYS.>', '$SRV.>', '_INBOX.>'];
    const others = BUS_USERS.filter((other) => other !== user).map((other) => `${inboxPrefixOf(other)}.>`);
    const domains = ['auth.>', 'config.>', 'quota.>', 'ratelimit.>', 'edge.>', 'audit.>'];
    const all = [...new Set([...wide, ...others, ...domains, ...contracts.map(subjectPattern)])];

    const refused = await refusedOf(user, (connection) => {
      for (const subject of all) connection.subscribe(subject, { callback: () => undefined });
    });

    const allowed = permissionsOf(user).subscribe;
    for (const subject of all)
      expect(refused.has(`subscription ${subject}`), subject).toBe(!allowed.includes(subject));
  });
});

/** Written by hand: who may bring about what matters most. Nobody else, whatever becomes of the contracts. */
const MAY_PUBLISH: Readonly<Record<string, readonly BusUser[]>> = {
  'config.committed': ['config-registry'],
  'config.live.committed': [],
  'config.heartbeat': ['config-registry'],
  'config.snapshot.head': ['config-registry'],
  'auth.revoked.x': ['config-registry'],
  'auth.live.revoked.x': [],
  'quota.updated': ['litellm'],
  'quota.updated.x': ['quota-mirror'],
  'quota.state.changed': ['quota-mirror'],
  'quota.states.requested': ['quota-mirror'],
  'auth.v1.verify': ['edge-proxy'],
  'ratelimit.v1.check': ['edge-proxy'],
  'edge.v1.target_health': ['config-registry'],
  '$JS.API.STREAM.DELETE.CONFIG': [],
  '$JS.API.STREAM.PURGE.CONFIG': [],
  '$JS.API.STREAM.PURGE.REVOCATIONS': [],
  '$JS.API.STREAM.UPDATE.CONFIG': ['config-registry'],
  '$JS.API.DIRECT.GET.CONFIG': ['edge-proxy', 'auth', 'config-registry'],
  '$JS.API.DIRECT.GET.QUOTA_LATEST': ['quota-mirror'],
  '$JS.API.CONSUMER.CREATE.CONFIG': [],
};

test.each(Object.entries(MAY_PUBLISH))('%s is published by %j alone', (subject, users) => {
  expect(PROCESSES.filter((user) => isIn(permissionsOf(user).publish, subject))).toEqual(users);
});

test('who answers may do so for longer than anybody waits, and not for long', () => {
  for (const contract of contracts) {
    if (contract.kind !== 'request-reply') continue;
    for (const user of PROCESSES.filter((one) =>
      [contract.owner, ...(contract.alongside ?? [])].includes(one),
    )) {
      const { answersWithinMs = 0 } = permissionsOf(user);
      expect(answersWithinMs, contract.subject).toBeGreaterThan(contract.timeoutMs);
      expect(answersWithinMs, contract.subject).toBeLessThanOrEqual(5000);
    }
  }
});

test('given the login of an edge was stolen, then it brings neither configuration nor quotas into the streams', async () => {
  const registry = new JetStream(busOf('config-registry'));
  const mirror = new JetStream(busOf('quota-mirror'));
  const before = [await registry.streamInfo('CONFIG'), await mirror.streamInfo('QUOTAS')];

  const refused = await refusedOf('edge-proxy', (connection) => {
    for (const { subject } of [configCommitted, quotaUpdated]) connection.publish(subject, '{}');
  });

  expect([...refused]).toEqual(['publish config.committed', 'publish quota.updated']);
  expect([await registry.streamInfo('CONFIG'), await mirror.streamInfo('QUOTAS')]).toEqual(before);
});

const checkOf = (id: number) =>
  JSON.stringify({
    v: 1,
    checks: [{ id, ...(authVerify.examples[0] as { request: { checks: object[] } }).request.checks[0] }],
  });

test('given a question names the log for its answer, then nobody answers there', async () => {
  // The server itself would let whoever is asked publish there, once.
  const registry = new JetStream(busOf('config-registry'));
  const auth = busOf('auth');
  let asked = 0;
  auth.answer(authVerify, () => {
    asked += 1;
    return { v: 1 as const, results: [] };
  });
  const edge = await login('edge-proxy');
  await (await auth.connection).flush();
  const before = await registry.streamInfo('CONFIG');

  edge.publish(authVerify.subject, checkOf(1), { reply: configCommitted.subject });
  const honest = await edge.request(authVerify.subject, checkOf(2), { timeout: 2000 });

  expect(honest.json()).toEqual({ v: 1, results: [] });
  expect(asked).toBe(1);
  await auth.close(); // another test answers in its place
  expect(await registry.streamInfo('CONFIG')).toEqual(before);
});

test('given the right to answer, then it is for the asked subject, once, and no other inbox', async () => {
  const auth = await login('auth');
  const refused: string[] = [];
  void (async () => {
    for await (const { permissionContext } of auth.status())
      if (permissionContext !== undefined) refused.push(permissionContext.subject);
  })();
  const asker = await login('edge-proxy');
  const heard: string[] = [];
  asker.subscribe('_INBOX_edge-proxy.>', {
    callback: (_error, message) => heard.push(`${message.subject} ${message.string()}`),
  });
  auth.subscribe(authVerify.subject, {
    queue: 'auth',
    callback: (_error, message) => {
      for (const text of ['first', 'second']) message.respond(text);
      auth.publish('_INBOX_edge-proxy.another', 'forged');
      auth.publish('_INBOX_config-registry.another', 'forged');
    },
  });
  await Promise.all([auth.flush(), asker.flush()]);

  asker.publish(authVerify.subject, 'x', { reply: '_INBOX_edge-proxy.mine' });
  await eventually(() => refused.length === 3);

  expect(refused).toEqual([
    '_INBOX_edge-proxy.mine',
    '_INBOX_edge-proxy.another',
    '_INBOX_config-registry.another',
  ]);
  await asker.flush();
  expect(heard).toEqual(['_INBOX_edge-proxy.mine first']);
});

test('given a wrong password, then the bus goes on trying and is there once the server has it', async () => {
  await using server = await startNats({ config: natsAuthorization(() => '"old"') });
  const bus = Bus.open({
    url: server.url,
    user: 'auth',
    password: 'old',
    name: 'auth',
    part: 'auth',
    logger: silentLogger(),
  });
  const early = Bus.open({
    url: server.url,
    user: 'auth',
    password: 'new',
    name: 'auth',
    part: 'auth',
    logger: silentLogger(),
  });
  opened.push(bus, early);
  await bus.connection;
  expect(early.isConnected).toBe(false);

  server.rewrite(natsAuthorization(() => '"new"'));
  await server.kill();
  await server.start();

  await eventually(() => early.isConnected);
  expect(bus.isConnected).toBe(false);
});

import { authVerify, ratelimitCheck, STREAMS } from '@sluice/contracts';
import { Bus, BusError, consumerProgress, createLogger, JetStream } from '@sluice/service-kit';
import type { Surroundings } from '../surroundings.ts';
import { checkPermissions } from './check-permissions.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

const CONNECT_WITHIN_MS = 2000;
const MAX_LAG_MS = 60_000;
const QUOTA_CONSUMER = 'quota-mirror';

/** Who makes a stream when it starts. */
const MAKERS: Partial<Record<keyof typeof STREAMS, string>> = {
  QUOTAS: 'quota-mirror',
  QUOTA_LATEST: 'quota-mirror',
  DEADLETTER: 'quota-mirror',
};

/** NATS, its streams, how far their readers are, and who answers on it. */
export const checkBus = async (url: string, { env }: Surroundings): Promise<Finding[]> => {
  const bus = Bus.open({
    ...{ url, name: 'sluice-doctor', part: 'operator' as const },
    ...{ user: env.NATS_USER, password: env.NATS_PASSWORD, creds: env.NATS_CREDS },
    logger: createLogger({ service: 'doctor', instance: 'doctor', level: 'silent' }),
  });
  try {
    const isThere = await Promise.race([
      bus.connection.then(
        () => true,
        () => false,
      ),
      afterMs(CONNECT_WITHIN_MS),
    ]);
    const host = URL.parse(url)?.host ?? 'the server';
    if (!isThere)
      return [
        failed(
          'nats',
          `${host} does not answer`,
          'start nats-server with JetStream, or give --nats; edges serve meanwhile',
        ),
      ];
    const jetstream = new JetStream(bus);
    const found = await Promise.all([
      checkStreams(jetstream),
      checkQuotaReader(jetstream),
      checkDeadLetters(jetstream),
      checkAuth(bus),
      checkLimiter(bus),
      checkPermissions(bus),
    ]);
    return [ok('nats', `${host} answers`), ...found.flat()];
  } finally {
    await bus.close();
  }
};

const afterMs = (ms: number): Promise<false> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref();
  });

const checkStreams = async (jetstream: JetStream): Promise<Finding[]> => {
  const missing: Finding[] = [];
  for (const name of Object.keys(STREAMS) as (keyof typeof STREAMS)[])
    try {
      await jetstream.streamInfo(name, CONNECT_WITHIN_MS);
    } catch (error) {
      const remedy = `${MAKERS[name] ?? 'config-registry'} makes it: see that it runs and may (JetStream on, its permissions)`;
      missing.push(failed(`stream ${name}`, (error as Error).message, remedy));
    }
  const all = Object.keys(STREAMS).length;
  return missing.length > 0 ? missing : [ok('streams', `all ${all} are there`)];
};

const checkQuotaReader = async (jetstream: JetStream): Promise<Finding[]> => {
  try {
    const durable = { stream: STREAMS.QUOTAS.name, durable: QUOTA_CONSUMER };
    const { pending, ackPending, lagMs, missed } = await consumerProgress(jetstream, durable);
    const says = `${pending + ackPending} events wait, the oldest for ${Math.round(lagMs / 1000)} s`;
    if (missed > 0)
      return [
        warning(
          'quota events',
          `${missed} left the stream unread`,
          'rebuild from the latest values: docs/guides/mirror-quotas.md',
        ),
      ];
    if (lagMs > MAX_LAG_MS)
      return [warning('quota events', says, 'see that quota-mirror runs and Redis answers, or run another')];
    return [ok('quota events', says)];
  } catch {
    return [warning('quota events', 'nobody reads them', 'start quota-mirror; events are kept meanwhile')];
  }
};

const checkDeadLetters = async (jetstream: JetStream): Promise<Finding[]> => {
  const info = await jetstream.streamInfo(STREAMS.DEADLETTER.name, CONNECT_WITHIN_MS).catch(() => undefined);
  if (info === undefined) return []; // said by the look at streams
  return info.messages === 0
    ? [ok('dead letters', 'none')]
    : [
        warning(
          'dead letters',
          `${info.messages} events could not be applied`,
          'read them with: nats stream view DEADLETTER; then publish what was meant again',
        ),
      ];
};

const GONE: Readonly<Record<string, string>> = {
  'no-responders': 'nobody answers',
  timeout: 'does not answer in time',
  malformed: 'answers in another form',
  disconnected: 'cannot be asked',
};
const wordsFor = (error: unknown): string =>
  error instanceof BusError ? (GONE[error.kind] ?? '') : String(error);

/** What a request may wait for is short: one late answer is no outage. */
const TRIES = 3;
const askAgain = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let tried = 1; ; tried++)
    try {
      return await ask();
    } catch (error) {
      if (tried === TRIES || !(error instanceof BusError && error.kind === 'timeout')) throw error;
    }
};

/** Any answer will do: there is no such plugin, and it says so. */
const checkAuth = async (bus: Bus): Promise<Finding[]> => {
  const check = { id: 1, pluginId: 'doctor', epoch: '', version: 0, scheme: 'key' as const, token: 'doctor' };
  try {
    await askAgain(() => bus.ask(authVerify, { v: 1, checks: [check] }));
    return [ok('auth', 'answers')];
  } catch (error) {
    return [failed('auth', wordsFor(error), 'start auth: without it only remembered credentials pass')];
  }
};

/** Reads the quota of a tenant that nobody has: that asks Redis, too. */
const checkLimiter = async (bus: Bus): Promise<Finding[]> => {
  const check = { id: 1, key: 'quota', limits: [], quotaKey: 'quota:tenant:doctor' };
  try {
    const { results } = await askAgain(() => bus.ask(ratelimitCheck, { v: 1, checks: [check] }));
    const [result] = results;
    if (result?.outcome === 'error')
      return [failed('ratelimit', `answers, but cannot decide: ${result.message}`, 'bring Redis back')];
    return [ok('ratelimit', 'answers, and reaches Redis')];
  } catch (error) {
    return [
      failed(
        'ratelimit',
        wordsFor(error),
        'start ratelimit, and see that it reaches Redis: edges count alone meanwhile',
      ),
    ];
  }
};

import { Bus, connectRedis, createLogger, JetStream, type Redis } from '@sluice/service-kit';
import { dataDirOf, readRunFile } from '../run-file.ts';
import type { Surroundings } from '../surroundings.ts';

/** What every quota command may be told. */
export interface QuotaOptions {
  readonly nats?: string;
  readonly redis?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

const ANSWERS_WITHIN_MS = 5000;
const COMMAND_TIMEOUT_MS = 10_000;
const NAME = 'sluice-cli';

/** What was given, else the environment's, else that of the running gateway, else the usual one. */
export const addressOf = (io: Surroundings, options: QuotaOptions, part: 'nats' | 'redis'): string =>
  options[part] ??
  io.env[part === 'nats' ? 'NATS_URL' : 'REDIS_URL'] ??
  readRunFile(dataDirOf(io, options.dataDir))?.[part] ??
  (part === 'nats' ? 'nats://127.0.0.1:4222' : 'redis://127.0.0.1:6379');

/** A URL as it may be shown. */
const shown = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');

export class NotReached extends Error {}

const within = async (what: string, url: string, attempt: Promise<unknown>): Promise<void> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no answer')), ANSWERS_WITHIN_MS);
  try {
    await Promise.race([attempt, late.promise]);
  } catch (error) {
    throw new NotReached(
      `${what} at ${shown(url)} does not answer: ${(error as Error).message} (start the gateway with npm start, or give --${what})`,
    );
  } finally {
    clearTimeout(timer);
  }
};

const quiet = () => createLogger({ service: NAME, instance: NAME, level: 'silent' });

/** JetStream of the platform, closed with the command. */
export const openJetStream = async (url: string): Promise<{ jetstream: JetStream } & AsyncDisposable> => {
  const bus = Bus.open({ url, name: NAME, logger: quiet() });
  try {
    await within('nats', url, bus.connection);
  } catch (error) {
    void bus.close(); // it still tries to connect; the command ends
    throw error;
  }
  return { jetstream: new JetStream(bus), [Symbol.asyncDispose]: () => bus.close() };
};

/** Redis of the platform, closed with the command. */
export const openRedis = async (url: string): Promise<{ redis: Redis } & Disposable> => {
  const logger = quiet();
  const redis = await connectRedis({ url, name: NAME, commandTimeoutMs: COMMAND_TIMEOUT_MS, logger });
  const answers = redis.status === 'ready' ? Promise.resolve() : ready(redis);
  try {
    await within('redis', url, answers);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
};

const ready = (redis: Redis): Promise<void> => new Promise((resolve) => redis.once('ready', () => resolve()));

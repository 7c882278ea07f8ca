import { requestReply } from '@sluice/contracts';
import { type ServerProcess, silentLogger } from '@sluice/testkit';
import { expect } from 'vitest';
import { z } from 'zod';
import { Bus, BusError } from '../src/index.ts';

/** A question for tests. */
export const echo = requestReply({
  subject: 'test.v1.echo',
  summary: 'Says it again.',
  owner: 'auth',
  askedBy: ['edge-proxy'],
  queue: 'echo',
  timeoutMs: 250,
  request: z.object({ text: z.string() }),
  reply: z.object({ text: z.string(), by: z.string().optional() }),
  examples: [],
});
/** The same with all the time a busy machine may need. */
export const patientEcho = { ...echo, timeoutMs: 10_000 };

/** A bus that is connected, and closed with the test. */
export const connected = async (nats: ServerProcess, name: string, logger = silentLogger()) => {
  const bus = Bus.open({ url: nats.url, name, logger });
  await bus.connection;
  return Object.assign(bus, { [Symbol.asyncDispose]: () => bus.close() });
};

/** Resolves when the server knows what the bus listens to. */
export const subscribed = async (bus: Bus) => (await bus.connection).flush();

/** The reason why a question was not answered. */
export const failureOf = async (asked: Promise<unknown>): Promise<BusError> => {
  const error = await asked.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(BusError);
  return error as BusError;
};

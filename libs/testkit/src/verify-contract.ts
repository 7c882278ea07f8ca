import type { RequestReplyContract } from '@sluice/contracts';
import { Bus } from '@sluice/service-kit';
import { expect } from 'vitest';
import { silentLogger } from './silent-logger.ts';

/**
 * Plays every example of a contract at a real responder over a real NATS server, and checks that the answer fits
 * the contract and has the shape of the example's reply (`match` decides how closely).
 */
export const verifyContract = async (
  contract: RequestReplyContract,
  options: {
    natsUrl: string;
    serve: (bus: Bus) => void | Promise<void>;
    match: (reply: unknown, example: { name: string; request: unknown; reply: unknown }) => void;
  },
): Promise<void> => {
  const logger = silentLogger();
  const provider = Bus.open({ url: options.natsUrl, name: 'provider', logger });
  const consumer = Bus.open({ url: options.natsUrl, name: 'consumer', logger });
  try {
    await options.serve(provider);
    await (await provider.connection).flush();
    await consumer.connection;
    expect(contract.examples.length, 'a contract has examples').toBeGreaterThan(0);
    for (const example of contract.examples)
      options.match(await consumer.ask(contract, example.request as never), example as never);
  } finally {
    await consumer.close();
    await provider.close();
  }
};

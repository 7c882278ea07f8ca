import type { RequestReplyContract } from '@sluice/contracts';
import type { z } from 'zod';
import type { AdminParts } from './admin-api.ts';

/** What the live edges answer, as soon as all of them have; nothing when none can be asked. */
export const askEdges = async <Req extends z.ZodType, Res extends z.ZodType>(
  { bus, edges, logger }: Pick<AdminParts, 'bus' | 'edges' | 'logger'>,
  contract: RequestReplyContract<Req, Res>,
  request: z.input<Req>,
): Promise<z.output<Res>[]> => {
  try {
    return await bus.scatter(contract, request, edges.count);
  } catch (error) {
    logger.warn({ err: error, subject: contract.subject }, 'the edges could not be asked');
    return [];
  }
};

import { randomUUIDv7 } from 'node:crypto';
import { configCanary, subjectFor } from '@sluice/contracts';
import type { Canary, CanaryParts, CanaryRequest } from './canaries.ts';

/** The event for everybody, the record for the audit, a line for the log. */
export const tellCanary = async (
  { audit, jetstream, logger }: Pick<CanaryParts, 'audit' | 'jetstream' | 'logger'>,
  action: 'started' | 'promoted' | 'rolled-back',
  { canary, request }: { readonly canary: Canary; readonly request: CanaryRequest },
): Promise<void> => {
  const { id, base, edges, version, reason, compared } = canary;
  const payload = {
    ...{ id, base, edges: [...edges], ...compared },
    ...(version === undefined ? {} : { version }),
    ...(reason === undefined ? {} : { reason }),
  };
  logger.info({ action, ...payload }, 'canary');
  const { author: actor, message, sourceAddress: address } = request;
  const envelope = { occurredAt: new Date().toISOString(), tenantId: '*', platformId: 'sluice', actor };
  const event = JSON.stringify({ eventId: randomUUIDv7(), ...envelope, payload });
  await Promise.all([
    jetstream
      .append(subjectFor(configCanary, action), event)
      .catch((error: unknown) => logger.warn({ err: error, action }, 'event of the canary not stored')),
    audit.record({
      actor,
      entry: {
        action: `canary.${action.replace('-', '_')}`,
        outcome: action === 'rolled-back' ? 'refused' : 'done',
        ...{ address, details: payload },
        ...(message === undefined ? {} : { message }),
      },
    }),
  ]);
};

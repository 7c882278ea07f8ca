import type { authVerify } from '@sluice/contracts';
import type { Consumer } from '@sluice/gateway-config';
import type { z } from 'zod';
import type { Credentials } from './credentials.ts';
import { consumerOf } from './identity.ts';

export type Check = z.output<typeof authVerify.check>;
export type Verdict = z.input<typeof authVerify.verdict>;

const DENIAL_CACHE_MS = 1000;

/** A refusal; a text becomes Kong's `{"message": …}`. */
export const deny = (
  reason: string,
  body: string | Readonly<Record<string, string>>,
  cacheMs = DENIAL_CACHE_MS,
): Verdict => ({
  outcome: 'deny',
  cacheMs,
  body: typeof body === 'string' ? { message: body } : body,
  reason,
});

/** Who a consumer is: its names and its groups. */
export const consumerIdentityOf = (credentials: Credentials, consumer: Consumer) => {
  const groups = credentials.ofConsumers.groupsOf(consumer);
  return { consumer: consumerOf(consumer), ...(groups.length === 0 ? {} : { groups: [...groups] }) };
};

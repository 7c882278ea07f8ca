import type { RevocationList } from '@sluice/config-log';
import type { Credentials } from './credentials.ts';
import type { KeySets } from './key-sets.ts';
import type { ApiKeys } from './verify-api-key.ts';

/** What a verdict is made of. */
export interface Verifier {
  readonly credentials: Credentials;
  readonly keySets: KeySets;
  readonly revocations: Pick<RevocationList, 'refuses'>;
  /** Absent: tenants have none, for want of a pepper. */
  readonly apiKeys?: ApiKeys | undefined;
  readonly verdictCacheMs: number;
  readonly skewSeconds: number;
  /** Unix time in ms. */
  readonly clock: () => number;
}

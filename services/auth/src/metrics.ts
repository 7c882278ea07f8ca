import { counter, createMetrics, gauge, histogram } from '@sluice/service-kit';
import type { KeySet } from './key-set.ts';

/** From a cached key and HS256 (50 µs) to a wait for an issuer (120 ms). */
const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** What the auth process counts. `keySets` is called at each scrape. */
export const createAuthMetrics = (version: string, keySets: () => readonly KeySet[]) => {
  const registry = createMetrics('auth', version);
  gauge(
    registry,
    'sluice_auth_jwks_age_seconds',
    'Age of the keys in use, by issuer; it grows while the issuer is away.',
    ['issuer'],
    (age) => {
      age.reset();
      for (const { label, ageMs } of keySets())
        if (ageMs !== undefined) age.set({ issuer: label }, ageMs / 1000);
    },
  );
  const refreshes = counter(
    registry,
    'sluice_auth_jwks_refresh_total',
    'Fetches of issuer keys, by result.',
    ['result'],
  );
  return {
    registry,
    countRefresh: (isFresh: boolean) => refreshes.inc({ result: isFresh ? 'success' : 'failure' }),
    verifications: counter(
      registry,
      'sluice_auth_verifications_total',
      'Credentials verified, by outcome and reason.',
      ['outcome', 'reason'],
    ),
    seconds: histogram(
      registry,
      'sluice_auth_verify_seconds',
      'Time to a verdict, waits for configuration and keys included.',
      [],
      SECONDS,
    ),
  };
};
export type AuthMetrics = ReturnType<typeof createAuthMetrics>;

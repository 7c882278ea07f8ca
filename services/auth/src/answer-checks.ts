import { performance } from 'node:perf_hooks';
import { authVerify, looksLikeApiKey } from '@sluice/contracts';
import { answerBatch, type Bus, CheckFailed, type Logger } from '@sluice/service-kit';
import type { AuthMetrics } from './metrics.ts';
import { type IdentitySigner, withSignedIdentity } from './sign-identity.ts';
import type { Check, Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';
import { PLUGINS_OF, verifyCredential } from './verify-credential.ts';

const CATCH_UP_MS = 100;

/** Where this process stands in the configuration log; a `ConfigFollower` is one. */
export interface Standing {
  readonly position: { readonly epoch: string; readonly version: number };
  /** Why the newest commit could not be taken over. */
  readonly refusal: string | undefined;
  waitFor(version: number, timeoutMs: number): Promise<boolean>;
}

/** What this process knows of the list of revoked tokens; a `RevocationFollower` is one. */
export interface RevocationStanding {
  readonly isRead: boolean;
  readonly confirmedMsAgo: number;
  waitUntilRead(timeoutMs: number): Promise<boolean>;
}

export interface AnswerOptions {
  readonly bus: Bus;
  readonly verifier: Verifier;
  readonly standing: Standing;
  readonly revocations: RevocationStanding;
  /** Tokens are verified for so long, in ms, with a list that nobody could confirm. */
  readonly revocationsMaxAgeMs: number;
  /** Absent: identities cannot be signed, and checks that ask for it fail. */
  readonly signer?: IdentitySigner | undefined;
  readonly metrics: AuthMetrics;
  readonly logger: Logger;
}

/** Answers `auth.v1.verify` from now on. */
export const answerChecks = (options: AnswerOptions): void => {
  const { bus, verifier, standing, metrics, logger } = options;
  const inFlight = new Map<string, Promise<Verdict>>();

  const decide = async (check: Check): Promise<Verdict> => {
    await catchUp(standing, check);
    const { scheme, pluginId, token } = check;
    const names = PLUGINS_OF[scheme];
    const plugin = verifier.credentials.plugin(pluginId, names);
    if (plugin === undefined)
      throw new CheckFailed(
        'unknown_plugin',
        `no enabled ${names.join(' or ')} plugin ${pluginId} in the configuration`,
      );
    if (scheme !== 'jwt' && !(scheme === 'key' && looksLikeApiKey(token)))
      return verifyCredential(verifier, plugin, check);
    await knowRevocations(options);
    // Only these take long enough to be worth joining.
    const { epoch, version } = standing.position;
    return once(inFlight, `${epoch} ${version} ${pluginId} ${token}`, async () =>
      verifyCredential(verifier, plugin, check),
    );
  };

  answerBatch(bus, authVerify, logger, async (check) => {
    const startedAt = performance.now();
    try {
      const verdict = withSignedIdentity(verifier, check, await decide(check), options.signer);
      metrics.verifications.inc({ outcome: verdict.outcome, reason: verdict.reason ?? 'ok' });
      return verdict;
    } catch (error) {
      const reason = error instanceof CheckFailed ? error.code : 'internal';
      metrics.verifications.inc({ outcome: 'error', reason });
      throw error;
    } finally {
      metrics.seconds.observe((performance.now() - startedAt) / 1000);
    }
  });
};

/**
 * A verdict from an older configuration than the asker's could let a credential in that was just removed, for as long
 * as the edge keeps it. So we catch up first, or say that we cannot.
 */
const catchUp = async (standing: Standing, { epoch, version }: Check): Promise<void> => {
  const isThere = () =>
    standing.refusal === undefined &&
    standing.position.epoch === epoch &&
    standing.position.version >= version;
  if (isThere()) return;
  await standing.waitFor(version, CATCH_UP_MS);
  if (!isThere())
    throw new CheckFailed(
      'behind',
      `asked from version ${version} of ${epoch}, standing at ${standing.position.version} of ${standing.position.epoch}`,
    );
};

/**
 * A token that was revoked must not pass because the list could not be read: then nothing is decided, and the edge
 * answers 503. Consumers' keys and passwords are not on the list.
 */
const knowRevocations = async ({ revocations, revocationsMaxAgeMs }: AnswerOptions): Promise<void> => {
  if (!revocations.isRead && !(await revocations.waitUntilRead(CATCH_UP_MS)))
    throw new CheckFailed(
      'revocations_unread',
      'the list of revoked tokens was not read since the bus came back',
    );
  const { confirmedMsAgo } = revocations;
  if (confirmedMsAgo > revocationsMaxAgeMs)
    throw new CheckFailed(
      'revocations_stale',
      `the list of revoked tokens was last confirmed ${Math.floor(confirmedMsAgo / 1000)} s ago`,
    );
};

/** Joins the same work under way instead of doing it twice. */
const once = <T>(inFlight: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> => {
  const running = inFlight.get(key);
  if (running !== undefined) return running;
  const started = work().finally(() => inFlight.delete(key));
  inFlight.set(key, started);
  return started;
};

import type { Credentials } from './credentials.ts';
import type { KeySets } from './key-sets.ts';

export interface Watched {
  readonly bus: { readonly isConnected: boolean };
  /** A `ConfigFollower` is one. */
  readonly follower: {
    readonly position: { readonly epoch: string };
    readonly refusal: string | undefined;
    readonly isStale: boolean;
  };
  /** A `RevocationFollower` is one. */
  readonly revocations: { readonly isRead: boolean; readonly confirmedMsAgo: number };
  readonly revocationsMaxAgeMs: number;
  readonly credentials: Credentials;
  readonly keySets: KeySets;
}

/** What is wrong, by dependency. An issuer that is away takes only its own tokens with it, so it only degrades. */
export const problemsOf = (watched: Watched): Record<string, string> => {
  const { bus, follower, revocations, credentials, keySets } = watched;
  const problems: Record<string, string> = {};
  if (!bus.isConnected) problems.bus = 'not connected';
  if (follower.position.epoch === '') problems.configuration = 'none received yet';
  else if (follower.refusal !== undefined) problems.configuration = follower.refusal;
  else if (follower.isStale) problems['~configuration'] = 'no heartbeat for 10 s; newer may exist';
  if (!revocations.isRead) problems.revocations = 'the list of revoked tokens is not read yet';
  else if (revocations.confirmedMsAgo > watched.revocationsMaxAgeMs)
    problems.revocations = 'nobody confirms that the list of revoked tokens is complete';
  for (const name of credentials.unusableIssuers)
    problems[`~issuer ${name}`] = 'its reference names no set variable';
  for (const { label, problem } of keySets.all)
    if (problem !== undefined) problems[`~keys of ${label}`] = problem;
  return problems;
};

/** One phrase for the terminal: each issuer and its keys. */
export const describeIssuers = (credentials: Credentials, keySets: KeySets): string => {
  const issuers = credentials.issuers.map(
    ({ url, keySource }) => `issuer ${url} · ${keySets.of(keySource)?.count ?? 0} keys`,
  );
  return issuers.length === 0 ? 'no issuer' : issuers.join(' · ');
};

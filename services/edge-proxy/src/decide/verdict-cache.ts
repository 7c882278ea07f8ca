import type { RevocationList } from '@sluice/config-log';
import type { TokenMarks } from '@sluice/contracts';
import type { AuthVerdict } from '@sluice/plugins';
import { LRUCache } from 'lru-cache';
import { SharedParts } from './shared-parts.ts';

/** What an entry costs beside its key and its texts, in bytes: objects and the cache's own bookkeeping. */
const ENTRY_BYTES = 600;
/** Longest life of a denial, in ms: what was wrong may be put right. */
const DENIAL_MS = 1000;
/** Of the whole room, what denials get: a flood of forged tokens pushes out no good one. */
const DENIED_SHARE = 0.1;

/** Under which a verdict is kept: the same text means something else to another scheme or plugin. */
export const verdictKey = (scheme: string, pluginId: string, token: string, signedBy?: string): string =>
  signedBy === undefined
    ? `${scheme}\0${pluginId}\0${token}`
    : `${scheme}\0${pluginId}\0${signedBy}\0${token}`;

/** The verdict on a token that verifies but was revoked. */
export const REVOKED: AuthVerdict = {
  outcome: 'deny',
  body: { message: 'Token revoked' },
  reason: 'token_revoked',
};

interface Kept {
  readonly verdict: AuthVerdict;
  /** Absent: no token, or one that says nothing of itself. */
  readonly marks: TokenMarks | undefined;
  /** The state of the list of revocations it was last compared with. */
  comparedAt: number;
}

export interface VerdictCacheOptions {
  readonly maxBytes: number;
  /** Longest life of a verdict, in ms. */
  readonly maxMs: number;
  readonly revocations: Pick<RevocationList, 'changes' | 'refuses'>;
  /** Monotonic, in ms; absent: the machine's, looked at once a millisecond. */
  readonly clock?: () => number;
}

/**
 * Verdicts about credentials that the auth process allowed the edge to reuse, for as long as it said. Bounded in
 * bytes; the least recently used go first.
 *
 * A revocation counts from the moment it is in the list, and costs nothing then: each verdict is compared with the
 * list again at its first use after the list has changed, so a hit is a look-up and a comparison of two numbers.
 */
export class VerdictCache {
  readonly #allowed: LRUCache<string, Kept>;
  readonly #denied: LRUCache<string, AuthVerdict>;
  readonly #shared = new SharedParts();
  readonly #maxMs: number;
  readonly #revocations: Pick<RevocationList, 'changes' | 'refuses'>;
  #generation = 0;

  constructor({ maxBytes, maxMs, revocations, clock }: VerdictCacheOptions) {
    const bounded = <V extends object>(bytes: number) =>
      new LRUCache<string, V>({
        maxSize: Math.max(1, Math.floor(bytes)),
        ttlAutopurge: false,
        ttl: 1,
        ...(clock === undefined ? {} : { perf: { now: clock }, ttlResolution: 0 }),
      });
    this.#allowed = bounded<Kept>(maxBytes * (1 - DENIED_SHARE));
    this.#denied = bounded<AuthVerdict>(maxBytes * DENIED_SHARE);
    this.#maxMs = maxMs;
    this.#revocations = revocations;
  }

  get(key: string): AuthVerdict | undefined {
    const kept = this.#allowed.get(key);
    if (kept === undefined) return this.#denied.get(key);
    return kept.comparedAt === this.#revocations.changes ? kept.verdict : this.#compare(key, kept);
  }

  /** `ttlMs` is the auth process's word; a setting may shorten it. `marks`: what of the token can be revoked. */
  put(key: string, verdict: AuthVerdict, ttlMs: number, marks?: TokenMarks): void {
    const isAllowed = verdict.outcome === 'allow';
    const ttl = Math.floor(Math.min(ttlMs, this.#maxMs, isAllowed ? Number.POSITIVE_INFINITY : DENIAL_MS));
    if (ttl < 1) return;
    const json = JSON.stringify(verdict);
    const size = sizeOf(key, json, marks);
    if (isAllowed) this.#allowed.set(key, this.#kept(verdict, json, marks), { ttl, size });
    else this.#denied.set(key, verdict, { ttl, size });
  }

  /** Every verdict was given under a configuration; a new one asks again. */
  clear(): void {
    this.#allowed.clear();
    this.#denied.clear();
    this.#shared.clear();
    this.#generation += 1;
  }

  /** Grows with each `clear`: what was asked before one may not be kept after it. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#allowed.size + this.#denied.size;
  }

  /** Memory in use, in bytes, by a generous estimate. */
  get bytes(): number {
    return this.#allowed.calculatedSize + this.#denied.calculatedSize;
  }

  #kept(verdict: AuthVerdict, json: string, marks: TokenMarks | undefined): Kept {
    return {
      verdict: frozen(this.#shared.verdict(verdict, json)),
      marks: marks && this.#shared.marks(marks),
      comparedAt: this.#revocations.changes,
    };
  }

  #compare(key: string, kept: Kept): AuthVerdict {
    kept.comparedAt = this.#revocations.changes;
    if (kept.marks === undefined || !this.#revocations.refuses(kept.marks)) return kept.verdict;
    this.#allowed.delete(key);
    return REVOKED;
  }
}

/** Many requests get the same object: none of them, and no plugin, may change it for the others. */
const frozen = <T extends object>(value: T): T => {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part);
  return Object.freeze(value);
};

/** As if nothing were shared: the room that is given is never exceeded, whoever the callers are. */
const sizeOf = (key: string, json: string, marks: TokenMarks | undefined): number =>
  2 * (key.length + json.length + (marks === undefined ? 0 : JSON.stringify(marks).length)) + ENTRY_BYTES;

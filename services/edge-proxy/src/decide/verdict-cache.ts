import type { AuthVerdict } from '@sluice/plugins';
import { LRUCache } from 'lru-cache';

/** What an entry costs beside its key, in bytes: the identity, its strings and the cache's own bookkeeping. */
const ENTRY_BYTES = 600;

/** Under which a verdict is kept: the same text means something else to another scheme or plugin. */
export const verdictKey = (scheme: string, pluginId: string, token: string): string =>
  `${scheme}\0${pluginId}\0${token}`;

/**
 * Verdicts about credentials that the auth process allowed the edge to reuse, for as long as it said. Bounded in
 * bytes; the least recently used go first. Denials are kept apart, so that a flood of forged tokens cannot push
 * out the good ones.
 */
export class VerdictCache {
  readonly #allowed: LRUCache<string, AuthVerdict>;
  readonly #denied: LRUCache<string, AuthVerdict>;
  readonly #maxMs: number;

  constructor(options: { maxBytes: number; maxMs: number }) {
    const bounded = (maxSize: number) =>
      new LRUCache<string, AuthVerdict>({
        maxSize: Math.max(1, maxSize),
        sizeCalculation: (_verdict, key) => key.length * 2 + ENTRY_BYTES,
        ttlAutopurge: false,
        ttl: 1,
      });
    this.#allowed = bounded(Math.floor(options.maxBytes * 0.9));
    this.#denied = bounded(Math.floor(options.maxBytes * 0.1));
    this.#maxMs = options.maxMs;
  }

  get(key: string): AuthVerdict | undefined {
    return this.#allowed.get(key) ?? this.#denied.get(key);
  }

  /** `ttlMs` is the auth process's word; a setting may shorten it. */
  put(key: string, verdict: AuthVerdict, ttlMs: number): void {
    const ttl = Math.min(ttlMs, this.#maxMs);
    if (ttl < 1) return;
    (verdict.outcome === 'allow' ? this.#allowed : this.#denied).set(key, verdict, { ttl });
  }

  /** Every verdict was given under a configuration; a new one asks again. */
  clear(): void {
    this.#allowed.clear();
    this.#denied.clear();
  }

  get size(): number {
    return this.#allowed.size + this.#denied.size;
  }
}

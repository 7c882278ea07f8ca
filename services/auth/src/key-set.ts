import type { Logger } from '@sluice/service-kit';
import { createLocalJWKSet } from 'jose';
import { discoverJwksUri, fetchKeySet, type KeySource } from './fetch-keys.ts';

const FIRST_RETRY_MS = 1000;

/** Finds the key of a token's header; jose's own, which also checks `use`, `alg`, `key_ops` and the curve. */
export type Keys = ReturnType<typeof createLocalJWKSet>;

export interface KeySetOptions {
  readonly timeoutMs: number;
  readonly cooldownMs: number;
  readonly maxAgeMs: number;
  /** Longest wait of one check for keys that are being fetched. */
  readonly waitMs: number;
  readonly logger: Logger;
  /** Called after each attempt to fetch. */
  readonly onRefresh: (isFresh: boolean) => void;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/**
 * The keys of one source. Fetched at once, renewed at half of their age, and kept for as long as the source does not
 * answer: an issuer that is away must not log everybody out. One fetch at a time, whoever asks.
 */
export class KeySet {
  /** How it is called in logs and metrics. */
  readonly label: string;
  readonly #source: KeySource;
  readonly #options: KeySetOptions;
  #keys: Keys | undefined;
  #count = 0;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #lastUnknownAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #jwksUri: string | undefined;
  #refreshing: Promise<boolean> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(source: KeySource, options: KeySetOptions) {
    this.#source = source;
    this.#options = options;
    this.label = source.issuer ?? withoutSecrets(source.jwksUri ?? '');
  }

  /** How many keys it holds. */
  get count(): number {
    return this.#count;
  }

  /** Age of the keys in ms; undefined when none were ever fetched. */
  get ageMs(): number | undefined {
    return this.#keys === undefined ? undefined : this.#options.now() - this.#fetchedAt;
  }

  /** What is wrong, for a person; undefined when nothing is. */
  get problem(): string | undefined {
    const age = this.ageMs;
    if (age === undefined) return 'no keys yet';
    return age > this.#options.maxAgeMs ? `keys are ${Math.round(age / 1000)} s old` : undefined;
  }

  /** The keys; waits a moment for the first ones. Undefined: none were ever fetched. */
  async keys(): Promise<Keys | undefined> {
    const isTooSoon = this.#options.now() - this.#triedAt < FIRST_RETRY_MS;
    if (this.#keys === undefined && (this.#refreshing !== undefined || !isTooSoon))
      await soon(this.refresh(), this.#options.waitMs);
    return this.#keys;
  }

  /**
   * Newer keys, for a token whose key is not among those at hand: the issuer may have rotated. Undefined when it was
   * asked for this reason within the cool-down, does not answer, or not in time.
   */
  async newerKeys(): Promise<Keys | undefined> {
    const { now, cooldownMs, waitMs } = this.#options;
    if (this.#refreshing === undefined) {
      if (now() - this.#lastUnknownAt < cooldownMs) return undefined;
      this.#lastUnknownAt = now();
    }
    return (await soon(this.refresh(), waitMs)) === true ? this.#keys : undefined;
  }

  /** Fetches now, or joins the fetch under way. Never rejects; false: the keys are as before. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#fetch().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #fetch(): Promise<boolean> {
    this.#triedAt = this.#options.now();
    const isFresh = await this.#tryFetch();
    this.#options.onRefresh(isFresh);
    this.#schedule();
    return isFresh;
  }

  async #tryFetch(): Promise<boolean> {
    const { issuer, jwksUri } = this.#source;
    try {
      this.#jwksUri ??= jwksUri ?? (await discoverJwksUri(issuer ?? '', this.#options));
      const document = await fetchKeySet(this.#jwksUri, this.#options);
      this.#keys = createLocalJWKSet(document);
      this.#count = document.keys.length;
      this.#fetchedAt = this.#options.now();
      this.#failures = 0;
      return true;
    } catch (error) {
      this.#jwksUri = undefined;
      this.#failures += 1;
      if (!this.#isStopped) this.#report(error);
      return false;
    }
  }

  #report(error: unknown): void {
    this.#options.logger.warn(
      { err: error, issuer: this.label, failures: this.#failures, keys: this.#count },
      this.#keys === undefined
        ? 'keys cannot be fetched; tokens of this issuer cannot be verified'
        : 'keys cannot be renewed; the ones at hand stay in use',
    );
  }

  #schedule(): void {
    if (this.#isStopped) return;
    const { maxAgeMs, cooldownMs } = this.#options;
    const retryMs = Math.min(
      FIRST_RETRY_MS * 2 ** (this.#failures - 1),
      Math.max(cooldownMs, FIRST_RETRY_MS),
    );
    const renew = () => {
      this.#jwksUri = undefined; // discovery may name another by now
      void this.refresh();
    };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(renew, this.#failures === 0 ? maxAgeMs / 2 : retryMs).unref();
  }
}

/** What came within the wait; undefined: nothing yet. */
const soon = async <T>(promise: Promise<T>, waitMs: number): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** An address without user info and query, which may be somebody's key. */
const withoutSecrets = (address: string): string => {
  if (!URL.canParse(address)) return 'unusable address';
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname}`;
};

import { listApiKeys, readApiKey, readApiKeyUse, type StoredApiKey, storeApiKey } from '@sluice/config-log';
import { type ApiKey, apiKeyHash, type apiKeyRequest, createApiKey } from '@sluice/contracts';
import { type JetStream, SequenceConflict } from '@sluice/service-kit';
import type { z } from 'zod';
import type { Confirmation, Revocations } from './revocations.ts';

const MAX_CONFLICTS = 5;
const SECOND = 1000; // ms

/** A key that was just made; its text exists nowhere else. */
export interface IssuedKey {
  readonly key: ApiKey;
  readonly text: string;
}

export interface KnownKey {
  readonly key: ApiKey;
  /** Unix time in ms, to the minute; undefined: never. */
  readonly lastUsedMs: number | undefined;
}

/** Why a key cannot be changed. */
export type KeyProblem = 'unknown' | 'ended';

interface Parts {
  readonly jetstream: JetStream;
  readonly revocations: Revocations;
  readonly pepper: string;
}

/** Tenants' API keys, as operators handle them. Each change is stored before it is answered. */
export class ApiKeyRing {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Undefined without a pepper: then there are no keys. */
  static of(pepper: string | undefined, parts: Omit<Parts, 'pepper'>): ApiKeyRing | undefined {
    return pepper === undefined ? undefined : new ApiKeyRing({ ...parts, pepper });
  }

  async create(asked: z.output<typeof apiKeyRequest>, actor: string): Promise<IssuedKey> {
    const now = Date.now();
    const { tenant, name, platform, ttlSeconds } = asked;
    return this.#issue(
      {
        ...{ name, tenantId: tenant, createdAtMs: now, createdBy: actor },
        ...(platform === undefined ? {} : { platformId: platform }),
        ...(ttlSeconds === undefined ? {} : { expiresAtMs: now + ttlSeconds * SECOND }),
      },
      actor,
    );
  }

  /** Of one tenant, or all; the newest first. */
  async list(tenant: string | undefined): Promise<readonly KnownKey[]> {
    const { jetstream } = this.#parts;
    const known: KnownKey[] = [];
    for await (const { key } of listApiKeys(jetstream))
      if (tenant === undefined || key.tenantId === tenant)
        known.push({ key, lastUsedMs: await readApiKeyUse(jetstream, key.id) });
    return known.sort((one, other) => other.key.createdAtMs - one.key.createdAtMs);
  }

  /** Makes a key in the place of another, which ends after the grace. */
  async rotate(
    id: string,
    graceSeconds: number,
    actor: string,
  ): Promise<(IssuedKey & { readonly previous: ApiKey }) | KeyProblem> {
    const before = await this.#usable(id);
    if (typeof before === 'string') return before;
    const { name, tenantId, platformId, createdAtMs, expiresAtMs } = before.key;
    const now = Date.now();
    // As long a life as the old one was given.
    const lifeMs = expiresAtMs === undefined ? undefined : expiresAtMs - createdAtMs;
    const issued = await this.#issue(
      {
        ...{ name, tenantId, createdAtMs: now, createdBy: actor },
        ...(platformId === undefined ? {} : { platformId }),
        ...(lifeMs === undefined ? {} : { expiresAtMs: now + lifeMs }),
      },
      actor,
    );
    const successorId = issued.key.id;
    if (graceSeconds === 0) {
      const revoked = await this.#change(id, actor, (key) => ({ ...key, successorId, revokedAtMs: now }));
      await this.#revokeVerdicts(id, actor);
      return { ...issued, previous: revoked.key };
    }
    const endMs = Math.min(expiresAtMs ?? Number.POSITIVE_INFINITY, now + graceSeconds * SECOND);
    const ending = await this.#change(id, actor, (key) => ({ ...key, successorId, expiresAtMs: endMs }));
    return { ...issued, previous: ending.key };
  }

  /** Refuses a key for good; resolves when every live edge and auth process has said so, or its time is up. */
  async revoke(id: string, actor: string): Promise<{ key: ApiKey; confirmation: Confirmation } | 'unknown'> {
    const { jetstream } = this.#parts;
    if ((await readApiKey(jetstream, id)) === undefined) return 'unknown';
    const { key } = await this.#change(id, actor, (before) => ({
      ...before,
      revokedAtMs: before.revokedAtMs ?? Date.now(),
    }));
    return { key, confirmation: await this.#revokeVerdicts(id, actor) };
  }

  async #issue(key: Omit<ApiKey, 'id' | 'hash'>, actor: string): Promise<IssuedKey> {
    const { jetstream, pepper } = this.#parts;
    const { id, text } = createApiKey(pepper);
    const stored = await storeApiKey(
      jetstream,
      { key: { ...key, id, hash: apiKeyHash(text, pepper) }, seq: 0 },
      actor,
    );
    return { key: stored.key, text };
  }

  async #usable(id: string): Promise<StoredApiKey | KeyProblem> {
    const stored = await readApiKey(this.#parts.jetstream, id);
    if (stored === undefined) return 'unknown';
    const { revokedAtMs, expiresAtMs, successorId } = stored.key;
    const hasEnded = revokedAtMs !== undefined || (expiresAtMs ?? Number.POSITIVE_INFINITY) <= Date.now();
    return hasEnded || successorId !== undefined ? 'ended' : stored;
  }

  async #change(id: string, actor: string, change: (key: ApiKey) => ApiKey): Promise<StoredApiKey> {
    const { jetstream } = this.#parts;
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      const stored = await readApiKey(jetstream, id);
      if (stored === undefined) throw new Error('the key is no longer there');
      try {
        return await storeApiKey(jetstream, { key: change(stored.key), seq: stored.seq }, actor);
      } catch (error) {
        if (!(error instanceof SequenceConflict)) throw error;
      }
    }
    throw new Error(`somebody else wrote first, ${MAX_CONFLICTS} times in a row`);
  }

  /** What edges remember of a key goes by the list of revocations, which reaches them at once. */
  async #revokeVerdicts(id: string, actor: string): Promise<Confirmation> {
    const revocation = { by: 'jti', value: `api-key:${id}`, notBeforeMs: Date.now() } as const;
    return (await this.#parts.revocations.revoke(revocation, actor)).confirmation;
  }
}

import {
  appendRevocation,
  followRevocations,
  type RevocationFollower,
  revocationSubject,
  type StoredRevocation,
} from '@sluice/config-log';
import { authConfirmRevocation, type Revocation } from '@sluice/contracts';
import type { Bus, JetStream, Logger } from '@sluice/service-kit';
import type { LiveEdges } from './live-edges.ts';

/** Somebody who just started may answer in the place of one who is waited for; then all are asked once more. */
const MAX_ASKED = 2;
const READ_WITHIN_MS = 1000;

/** Where a revocation is in force, of the processes that are live. */
export interface Confirmation {
  readonly edges: { readonly live: number; readonly confirmed: number };
  readonly auth: { readonly live: number; readonly confirmed: number };
  /** Live ones that have not said so. */
  readonly missing: readonly string[];
}

export interface Revoked {
  readonly stored: StoredRevocation;
  /** False: it was in force already. */
  readonly isNew: boolean;
  readonly confirmation: Confirmation;
}

interface Parts {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly edges: LiveEdges;
  readonly logger: Logger;
}

/** The list of revoked tokens as operators see it: they add to it, and read it. */
export class Revocations {
  readonly #parts: Parts;
  readonly #follower: RevocationFollower;
  /** By the subject each is kept on. */
  readonly #known = new Map<string, StoredRevocation>();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { bus, jetstream, logger } = parts;
    this.#follower = followRevocations({
      ...{ bus, jetstream, logger },
      onRevoked: (stored) => this.#remember(stored),
      onDisplaced: (subject) =>
        void this.#putBack(subject).catch((error: unknown) =>
          logger.error(
            { err: error, subject },
            'revocation not put back: revoke again what must stay refused',
          ),
        ),
      onRecreated: () =>
        void this.#restore().catch((error: unknown) =>
          logger.error({ err: error }, 'revocations not restored: revoke again what must stay refused'),
        ),
    });
  }

  /** All of them, the newest first; undefined while the list cannot be read. */
  async all(): Promise<readonly StoredRevocation[] | undefined> {
    if (!(await this.#follower.waitUntilRead(READ_WITHIN_MS))) return undefined;
    return [...this.#known.values()].sort((one, other) => (one.occurredAt < other.occurredAt ? 1 : -1));
  }

  /**
   * Stores a revocation and waits until every live process that judges tokens says that it is in force.
   * @throws StreamFull, or the client's error when no word came: it may or may not be stored.
   */
  async revoke(revocation: Revocation, actor: string): Promise<Revoked> {
    const occurredAt = new Date().toISOString();
    const appended = await appendRevocation(this.#parts.jetstream, { revocation, occurredAt, actor });
    this.#remember(appended.stored);
    const confirmation = await this.#confirm(appended.stored.revocation);
    this.#parts.logger.info(
      { ...appended.stored.revocation, author: actor, isNew: appended.isNew, ...confirmation },
      'tokens revoked',
    );
    return { ...appended, confirmation };
  }

  stop(): void {
    this.#follower.stop();
  }

  #remember(stored: StoredRevocation): void {
    const subject = revocationSubject(stored.revocation);
    const before = this.#known.get(subject)?.revocation.notBeforeMs ?? -1;
    if (before < stored.revocation.notBeforeMs) this.#known.set(subject, stored);
  }

  async #confirm(revocation: Revocation): Promise<Confirmation> {
    const { bus, edges, logger } = this.#parts;
    const live = { edges: edges.instancesOf('edge-proxy'), auth: edges.instancesOf('auth') };
    const all = [...live.edges, ...live.auth];
    const inForce = new Set<string>();
    const isMissing = (instance: string) => !inForce.has(instance);
    for (let asked = 0; asked < MAX_ASKED && all.some(isMissing); asked++) {
      const answers = await bus
        .scatter(authConfirmRevocation, revocation, all.length)
        .catch((error: unknown) => {
          logger.warn({ err: error }, 'nobody could be asked whether a revocation is in force');
          return [];
        });
      for (const { instance, isInForce } of answers) if (isInForce) inForce.add(instance);
    }
    const countOf = (names: readonly string[]) => ({
      live: names.length,
      confirmed: names.filter((name) => !isMissing(name)).length,
    });
    return { edges: countOf(live.edges), auth: countOf(live.auth), missing: all.filter(isMissing) };
  }

  /**
   * Whoever may ask JetStream can have an answer stored where a revocation stands. Processes that run know it still;
   * those that start later would not.
   */
  async #putBack(subject: string): Promise<void> {
    const stored = this.#known.get(subject);
    if (stored === undefined) return;
    await appendRevocation(this.#parts.jetstream, stored);
    this.#parts.logger.warn({ subject }, 'a revocation was displaced and is put back');
  }

  /** The stream was lost and made anew: what this process knows is stored again. */
  async #restore(): Promise<void> {
    const { jetstream, logger } = this.#parts;
    const known = [...this.#known.values()];
    for (const stored of known) await appendRevocation(jetstream, stored);
    logger.warn({ revocations: known.length }, 'the list of revoked tokens was made anew and is restored');
  }
}

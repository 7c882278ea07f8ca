import {
  appendCommit,
  type ConfigFollower,
  LogUnavailable,
  type Position,
  type Retention,
} from '@sluice/config-log';
import type { ConfigOp } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import type { Bus, JetStream } from '@sluice/service-kit';
import type { LogKeeper } from './log-keeper.ts';

const MAX_CONFLICTS = 20;
const SEEN_WITHIN_MS = 5000;

/** What a writer wants, decided on the newest state; a refusal ends the attempt. */
export type Decision<Refusal> =
  | {
      readonly outcome: 'change';
      readonly ops: readonly ConfigOp[];
      /** The state that the operations lead to, where it is known; it must not change any more. */
      readonly after?: ConfigState | undefined;
      /** Says what changes, for an author who did not. */
      readonly summary?: string | undefined;
    }
  | { readonly outcome: 'refuse'; readonly refusal: Refusal };

export type Committed<Refusal> =
  | { readonly outcome: 'committed' | 'unchanged'; readonly at: Position }
  | { readonly outcome: 'stale'; readonly at: Position }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

export interface Change<Refusal> {
  readonly actor: string;
  readonly message: string | undefined;
  readonly sourceAddress?: string | undefined;
  /** The version the author looked at; when another is in force the change is not made. */
  readonly expectedVersion?: number | undefined;
  /** The version that this brings back. */
  readonly rollbackOf?: number | undefined;
  /** Called again on a newer state when somebody else wrote first. */
  readonly decide: (state: ConfigState) => Decision<Refusal>;
}

interface CommitterParts {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly follower: ConfigFollower;
  readonly keeper: LogKeeper;
  readonly retention: Retention;
}

/** The one door to the log: in this process one write at a time, across processes the log's own lock. */
export class Committer {
  readonly #parts: CommitterParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /** @throws LogUnavailable when the log cannot be written. */
  commit<Refusal>(change: Change<Refusal>): Promise<Committed<Refusal>> {
    const next = this.#last.then(() => this.#attempt(change));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #attempt<Refusal>(change: Change<Refusal>): Promise<Committed<Refusal>> {
    const { bus, jetstream, follower, keeper, retention } = this.#parts;
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      if (!bus.isConnected) throw new LogUnavailable('the bus is not connected');
      const { expectedVersion } = change;
      if (expectedVersion !== undefined && expectedVersion !== follower.position.version)
        return { outcome: 'stale', at: follower.position };
      const decision = change.decide(follower.state);
      if (decision.outcome === 'refuse') return { outcome: 'refused', refusal: decision.refusal };
      const base = keeper.base(follower.position);
      if (base.epoch === '') throw new LogUnavailable('the configuration log is not there yet');
      if (decision.ops.length === 0) return { outcome: 'unchanged', at: base };
      const { actor, message = decision.summary, sourceAddress, rollbackOf } = change;
      const { ops, after } = decision;
      const appended = await appendCommit({
        ...{ jetstream, base, state: follower.state, ops, after, actor, message, sourceAddress },
        ...{ rollbackOf, retention },
        onSnapshot: (id, state) => follower.expectSnapshot(id, state.clone()),
        giveUpAfterMs: SEEN_WITHIN_MS,
      });
      if (appended.outcome === 'committed') {
        const { epoch, version, digest } = appended.commit;
        await follower.waitFor(version, SEEN_WITHIN_MS, epoch);
        return { outcome: 'committed', at: { epoch, version, seq: appended.seq, digest } };
      }
      await follower.catchUp();
    }
    throw new LogUnavailable(`somebody else wrote first, ${MAX_CONFLICTS} times in a row`);
  }
}

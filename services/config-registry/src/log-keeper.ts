import { appendCommit, type ConfigFollower, type Position, provisionLog, startOf } from '@sluice/config-log';
import { type ConfigOp, kindNames, STREAMS } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import type { Bus, JetStream, Logger } from '@sluice/service-kit';

const RETRY_MS = 500;
const RESTORED_WITHIN_MS = 5000;

/** Sees to it that the log exists, at the start and whenever the bus comes back. */
export class LogKeeper {
  readonly #parts: { bus: Bus; jetstream: JetStream; replicas: number; logger: Logger };
  #epoch = '';
  #isStopped = false;
  #keeping: Promise<void> = Promise.resolve();

  constructor(parts: { bus: Bus; jetstream: JetStream; replicas: number; logger: Logger }) {
    this.#parts = parts;
  }

  get isReady(): boolean {
    return this.#epoch !== '';
  }

  /** What the next commit builds on: the follower's position, or the start of a log that is still empty. */
  base(position: Position): Position {
    return position.version === 0 && this.#epoch !== '' && position.epoch !== this.#epoch
      ? startOf(this.#epoch)
      : position;
  }

  /** Makes the log and keeps it made. Settles when it is there and read to its end for the first time. */
  async keep(follower: ConfigFollower): Promise<void> {
    this.#parts.bus.onReconnect(() => {
      this.#keeping = this.#keeping.then(() => this.#ensure(follower));
    });
    await this.#parts.bus.connection;
    this.#keeping = this.#keeping.then(() => this.#ensure(follower));
    await this.#keeping;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #ensure(follower: ConfigFollower): Promise<void> {
    const { bus, jetstream, replicas, logger } = this.#parts;
    while (!this.#isStopped && bus.isConnected) {
      try {
        const [epoch] = await Promise.all([provisionLog(jetstream, replicas), this.#keepDecisions()]);
        this.#epoch = epoch;
        await follower.catchUp();
        await this.#restore(follower);
        return;
      } catch (error) {
        logger.warn({ err: error }, 'configuration streams not ready, trying again');
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
  }

  /** Records of decisions help people; no configuration waits for them. */
  async #keepDecisions(): Promise<void> {
    const { jetstream, replicas, logger } = this.#parts;
    try {
      await jetstream.ensureStream(STREAMS.DECISIONS, replicas);
    } catch (error) {
      logger.warn(
        { err: error },
        'the stream of decisions cannot be kept: refusals are explained from memory',
      );
    }
  }

  /**
   * The log may have lost commits that are in force: it was made anew, or its end did not survive a crash of the
   * disk. What this process still has then begins a new epoch.
   */
  async #restore(follower: ConfigFollower): Promise<void> {
    const { seq } = follower.position;
    const { lastSeq } = await this.#parts.jetstream.streamInfo(STREAMS.CONFIG.name);
    if (lastSeq < seq)
      await this.beginEpoch(follower, lastSeq, `the log ended at ${lastSeq} instead of ${seq}`);
  }

  /** Appends the follower's state as the first commit of a new epoch: in one epoch no version is given twice. */
  async beginEpoch(follower: ConfigFollower, lastSeq: number, why: string): Promise<void> {
    const { jetstream, logger } = this.#parts;
    const { position, state } = follower;
    const epoch = lastSeq === 0 ? this.#epoch : `${this.#epoch}-${crypto.randomUUID().slice(0, 8)}`;
    const ops: ConfigOp[] = kindNames.flatMap((kind) =>
      [...state.list(kind)].map((entity) => ({ op: 'put', kind, id: entity.id, entity: { ...entity } })),
    );
    const { outcome } = await appendCommit({
      jetstream,
      base: { ...startOf(epoch), seq: lastSeq },
      state: new ConfigState(),
      ops,
      actor: 'config-registry',
      message: `r${position.version} of epoch ${position.epoch} restored: ${why}`,
    });
    logger.warn({ outcome, why, from: position.epoch, to: epoch }, 'configuration restored in a new epoch');
    if (outcome === 'committed') await follower.waitFor(1, RESTORED_WITHIN_MS, epoch);
    else await follower.catchUp();
  }
}

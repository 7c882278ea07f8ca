import { type ConfigFollower, readCandidate } from '@sluice/config-log';
import { configOffered } from '@sluice/contracts';
import { type Bus, JetStream, type Logger } from '@sluice/service-kit';
import type { z } from 'zod';
import type { CommitTaker } from './accept.ts';
import type { PluginSource } from './plugin-source.ts';

type Offer = z.output<typeof configOffered.payload>;

interface Parts {
  readonly bus: Bus;
  readonly instance: string;
  readonly logger: Logger;
  readonly taker: CommitTaker;
  readonly plugins: PluginSource;
}

/**
 * Serves a candidate configuration in the place of the log's, as long as a registry offers it to this edge and the log
 * stands where it is built on. The file of the last known good configuration is not touched: an edge that starts anew
 * serves what the log says.
 */
export class Candidate {
  readonly #parts: Parts;
  readonly #jetstream: JetStream;
  #follower: ConfigFollower | undefined;
  /** The offer that this edge has taken up, or tried to. */
  #taken: Offer | undefined;
  #isServed = false;
  #lease: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#jetstream = new JetStream(parts.bus);
    parts.bus.on(configOffered, (offer) => this.#heard(offer));
  }

  /** Its id, while requests meet it. */
  get served(): string | undefined {
    return this.#isServed ? this.#taken?.id : undefined;
  }

  /** The follower is made after this, for it tells what is served. */
  follow(follower: ConfigFollower): void {
    this.#follower = follower;
  }

  /** The log has a newer state, which this edge serves from now on. */
  superseded(): void {
    this.#isServed = false;
  }

  stop(): void {
    clearTimeout(this.#lease);
  }

  #heard(offer: Offer): void {
    const isOurs = offer.edges.includes(this.#parts.instance);
    const isTaken = offer.id === this.#taken?.id;
    if (isOurs) {
      clearTimeout(this.#lease);
      this.#lease = setTimeout(() => this.#leave('its offer was not renewed'), offer.leaseMs);
      if (!isTaken) void this.#take(offer);
    } else if (isTaken) this.#leave('its offer is over');
  }

  async #take(offer: Offer): Promise<void> {
    const { logger, taker, plugins } = this.#parts;
    const follower = this.#follower;
    if (follower === undefined || !standsAt(follower, offer)) return; // looked at again with the next offer
    this.#taken = offer;
    try {
      const state = await readCandidate(this.#jetstream, offer.id, follower.state);
      if (state === undefined || this.#taken !== offer) return;
      await follower.retake(async () => {
        if (this.#taken !== offer || !standsAt(follower, offer)) return; // somebody was faster
        await plugins.takeOrRefresh(() => taker.tryOut(state));
        this.#isServed = true;
      });
      logger.info({ candidate: offer.id, isServed: this.#isServed }, 'candidate configuration taken');
    } catch (error) {
      logger.error({ err: error, candidate: offer.id }, 'candidate configuration not read');
    }
  }

  #leave(why: string): void {
    const { logger, taker } = this.#parts;
    const taken = this.#taken;
    clearTimeout(this.#lease);
    if (taken === undefined) return;
    this.#taken = undefined;
    void this.#follower?.retake(async (state) => {
      if (this.#taken !== undefined) return; // another one was offered meanwhile
      this.#isServed = false;
      if (!taker.isInStep) await taker.takeState(state);
    });
    logger.info({ candidate: taken.id, why }, 'candidate configuration left');
  }
}

const standsAt = ({ position }: ConfigFollower, { base }: Offer): boolean =>
  position.epoch === base.epoch && position.version === base.version;

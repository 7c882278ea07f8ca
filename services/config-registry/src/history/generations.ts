import {
  type ConfigFollower,
  GenerationGone,
  generationAt,
  type HistoryEntry,
  readHistory,
} from '@sluice/config-log';
import type { ConfigChanges } from '@sluice/contracts';
import { ConfigState, describeChanges } from '@sluice/gateway-config';
import type { JetStream } from '@sluice/service-kit';

const MAX_CHANGES = 1000; // entities in one answer

/** There was never such a version in this epoch. */
export class GenerationUnknown extends Error {}

/** A version, who made it, and what it changed. */
export interface Generation {
  readonly entry: HistoryEntry;
  readonly changed: ConfigChanges;
}

/**
 * The versions of the configuration from the first of this epoch to the newest. States are rebuilt one at a time:
 * each costs memory as the configuration itself does.
 */
export class Generations {
  readonly #jetstream: JetStream;
  readonly #follower: ConfigFollower;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: { jetstream: JetStream; follower: ConfigFollower }) {
    this.#jetstream = parts.jetstream;
    this.#follower = parts.follower;
  }

  /** The newest version. */
  get live(): number {
    return this.#follower.position.version;
  }

  /** Newest first, from the one before `before` on. */
  list(page: { before: number; limit: number }): Promise<HistoryEntry[]> {
    return readHistory(this.#jetstream, this.#follower.position, page);
  }

  /** @throws GenerationUnknown, GenerationGone */
  async show(version: number): Promise<Generation> {
    const [entry] = version < 1 ? [] : await this.list({ before: version + 1, limit: 1 });
    if (entry?.commit.version !== version) throw this.#missing(version);
    return { entry, changed: await this.between(version - 1, version) };
  }

  /**
   * The whole state at a version, the caller's to keep; 0 is before the first.
   * @throws GenerationUnknown, GenerationGone
   */
  async stateAt(version: number): Promise<ConfigState> {
    const [state] = await this.#rebuild(version, version);
    return state;
  }

  /**
   * What leads from one version to another.
   * @throws GenerationUnknown, GenerationGone
   */
  async between(from: number, to: number): Promise<ConfigChanges> {
    const [earlier, later] = await this.#rebuild(Math.min(from, to), Math.max(from, to));
    const [before, after] = from <= to ? [earlier, later] : [later, earlier];
    return describeChanges(before, after, MAX_CHANGES);
  }

  #rebuild(earlier: number, later: number): Promise<[earlier: ConfigState, later: ConfigState]> {
    const next = this.#last.then(() => this.#statesAt(earlier, later));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #statesAt(earlier: number, later: number): Promise<[ConfigState, ConfigState]> {
    const { position: end, state: live } = this.#follower;
    if (later > end.version) throw this.#missing(later);
    const now = later === end.version ? live.clone() : undefined; // before anything is awaited
    if (earlier === later && now !== undefined) return [now, now];
    if (earlier === 0) {
      const state = now ?? (await generationAt(this.#jetstream, end, later)).state;
      return [new ConfigState(), later === 0 ? new ConfigState() : state];
    }
    const first = await generationAt(this.#jetstream, end, earlier);
    const before = first.state.clone();
    if (now !== undefined) return [before, now];
    return [before, (await generationAt(this.#jetstream, end, later, first)).state];
  }

  #missing(version: number): Error {
    const { live } = this;
    return version > 0 && version <= live
      ? new GenerationGone(`the log has forgotten r${version}`)
      : new GenerationUnknown(`there is no r${version}: the newest is r${live}`);
  }
}

import { type ConfigCommit, configHeartbeat, configLiveCommitted } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { Acknowledger } from './acknowledge.ts';
import type { FollowerCounts, FollowOptions, ResyncReason } from './follow-options.ts';
import { type LogEnd, LogReader } from './log-reader.ts';
import { PendingCommits } from './pending-commits.ts';
import { judge, type Position, positionAfter, type Replica, startOf } from './position.ts';
import { type Read, rebuild } from './rebuild.ts';
import { Rounds } from './rounds.ts';
import { Waiters } from './waiters.ts';

const STALE_AFTER_MS = 10_000; // ten heartbeats
const SNAPSHOT_WHEN_BEHIND = 500; // commits
const IN_FLIGHT = 32; // direct gets
const MISSES_BEFORE_RESYNC = 20;

/** Starts to follow the configuration log; never throws and never waits for the bus. */
export const followConfig = (options: FollowOptions): ConfigFollower => new ConfigFollower(options);

/**
 * Keeps a state equal to the log's. Live commits come by the republished subject, what was missed by direct
 * gets; every commit's digest is compared, and a state that went wrong is replaced by a snapshot. Within an
 * epoch it only goes forward. `onState` and `onCommit` are called in order and never while another runs.
 */
export class ConfigFollower {
  readonly #options: FollowOptions;
  readonly #log: LogReader;
  readonly #standing: Acknowledger;
  readonly #rounds: Rounds;
  readonly #waiters = new Waiters();
  #current: Replica;
  /** Whether the owner was given any state. */
  #isDelivered = false;
  /** Set when the current state cannot be continued. */
  #broken: ResyncReason | undefined;
  /** Set while the owner takes its time with a change. */
  #handing: Promise<void> | undefined;
  readonly #pending = new PendingCommits();
  readonly #unreachable = new Set<string>();
  #misses = 0;
  #isStopped = false;
  #lastBeatAt = performance.now();
  #edges = 0;
  readonly #resyncs: Record<ResyncReason, number> = { boot: 0, epoch: 0, behind: 0, digest: 0, missing: 0 };
  readonly #counts = { gaps: 0, badDigests: 0, foreign: 0 };

  constructor(options: FollowOptions) {
    const { bus, initial } = options;
    this.#options = options;
    this.#rounds = new Rounds({
      round: () => this.#catchUpOnce(),
      mayRun: () => bus.isConnected,
      logger: options.logger,
    });
    this.#standing = new Acknowledger(options);
    this.#log = new LogReader(options.jetstream, options.kinds);
    this.#current = { state: new ConfigState(), position: startOf('') };
    if (initial !== undefined) void this.#deliver(initial);
    bus.on(configLiveCommitted, ({ payload }, { streamSequence }) => this.#offer(streamSequence, payload));
    bus.on(configHeartbeat, (beat) => this.#heard(beat));
    bus.onReconnect(() => this.#rounds.restart());
    void bus.connection.then(
      () => this.#rounds.want(),
      () => undefined,
    );
  }

  get position(): Position {
    return this.#current.position;
  }

  get state(): ConfigState {
    return this.#current.state;
  }

  /** No heartbeat for 10 s: newer configuration may exist. */
  get isStale(): boolean {
    return performance.now() - this.#lastBeatAt > STALE_AFTER_MS;
  }

  /** Live edges by the last heartbeat; 0 before the first. */
  get heartbeatEdges(): number {
    return this.#edges;
  }

  /** Why the owner refused the newest change; undefined when it took it. */
  get refusal(): string | undefined {
    return this.#standing.refusal;
  }

  get counts(): FollowerCounts {
    return {
      ...this.#counts,
      refused: this.#standing.refused,
      resyncs: { ...this.#resyncs },
      directGets: this.#log.gets,
    };
  }

  /** True once the version is reached (in any epoch, or in the one named); false when the time is up. */
  waitFor(version: number, timeoutMs: number, epoch?: string): Promise<boolean> {
    const isThere = () =>
      this.#isDelivered &&
      this.position.version >= version &&
      (epoch === undefined || this.position.epoch === epoch);
    return this.#waiters.wait(isThere, timeoutMs);
  }

  /** Reads the log to its end once. Returns without it while the bus is away. */
  async catchUp(): Promise<void> {
    this.#rounds.want();
    await this.#rounds.idle();
  }

  /** What the snapshot of that id holds: a process that writes it need not read it. The state becomes this one's. */
  expectSnapshot(id: string, state: ConfigState): void {
    this.#log.expect(id, state);
  }

  /**
   * Lets the owner take the current state in another way, because something else it needs has changed. What comes
   * of it is acknowledged as for a commit.
   */
  async retake(change: (state: ConfigState, at: Position) => void | Promise<void>): Promise<void> {
    while (this.#handing !== undefined) await this.#handing;
    if (this.#isStopped || !this.#isDelivered) return;
    await this.#hand(this.#current, () => change(this.state, this.position));
  }

  /** Says goodbye and takes no further change. */
  stop(): void {
    if (this.#isStopped) return;
    this.#standing.publish(this.position, true);
    this.#isStopped = true;
    this.#rounds.stop();
    this.#waiters.release();
  }

  #offer(seq: number, commit: ConfigCommit): void {
    if (this.#isStopped) return;
    const { epoch, seq: at } = this.position;
    if (commit.epoch === epoch && seq <= at) return; // late or repeated: never back
    const isBusy = this.#rounds.isRunning || this.#handing !== undefined;
    const isNext = !isBusy && commit.epoch === epoch && seq === at + 1;
    if (isNext && commit.snapshotId === undefined && this.#isDelivered) {
      const judgement = judge(this.#current, commit);
      if (judgement === 'next') void this.#take(commit, seq);
      if (judgement === 'foreign') this.#skip(seq);
      if (judgement !== 'bad-digest') return;
      this.#breakOff('digest');
    } else if (!isBusy && commit.epoch === epoch && !isNext) this.#counts.gaps += 1;
    if (commit.epoch === epoch) this.#pending.reach(seq);
    this.#pending.add(seq, commit);
    this.#rounds.want();
  }

  #heard(beat: { epoch: string; seq: number; version: number; digest: string; edges: number }): void {
    if (this.#isStopped) return;
    this.#lastBeatAt = performance.now();
    this.#edges = beat.edges;
    const { epoch, seq, version, digest } = this.position;
    if (epoch === '' && beat.version === 0)
      this.#current = { state: this.state, position: startOf(beat.epoch) };
    else if (beat.epoch !== epoch) this.#rounds.want();
    else if (beat.seq > seq) {
      this.#pending.reach(beat.seq);
      this.#rounds.want();
    } else if (beat.version === version && beat.digest !== digest) {
      this.#breakOff('digest');
      this.#rounds.want();
    }
    this.#standing.publish(this.position);
  }

  async #catchUpOnce(): Promise<void> {
    await this.#handing;
    const end = await this.#rounds.bounded(
      this.#log.end((seq, { epoch }) => this.#unreachable.has(`${epoch} ${seq}`)),
    );
    if (end === undefined) {
      if (!this.#isDelivered) await this.#deliver(this.#current);
      return;
    }
    const { epoch, seq } = this.position;
    const target = () => Math.max(end.lastSeq, this.#pending.reaches);
    if (this.#broken !== undefined) await this.#resync(this.#broken, end, target);
    else if (!this.#isDelivered) await this.#resync('boot', end, target);
    else if (end.commit.epoch !== epoch) await this.#resync('epoch', end, target);
    else {
      if (end.lastSeq - seq > SNAPSHOT_WHEN_BEHIND) await this.#leap(epoch);
      await this.#replay(target);
    }
  }

  /** Takes the newest snapshot when it is ahead of the current state. */
  async #leap(epoch: string): Promise<void> {
    const snapshot = await this.#rounds.bounded(this.#log.newestSnapshot(epoch, this.state));
    if (snapshot === undefined || snapshot.position.version <= this.position.version) return;
    this.#resyncs.behind += 1;
    await this.#deliver(snapshot);
  }

  /** Builds a state beside the current one and then swaps; a state no commit leads to changes nothing. */
  async #resync(reason: ResyncReason, { commit, commitSeq }: LogEnd, target: () => number): Promise<void> {
    const { epoch } = commit;
    if (epoch !== this.position.epoch) this.#pending.restart();
    const fresh = await this.#rounds.bounded(
      rebuild({
        log: this.#log,
        epoch,
        target,
        batch: (after, until) => this.#batch(after, until),
        onBadDigest: () => {
          this.#counts.badDigests += 1;
        },
      }),
    );
    if (fresh.position.version < commit.version) {
      this.#unreachable.add(`${epoch} ${commitSeq}`); // it only looks like a commit
      this.#rounds.want();
      return;
    }
    if (epoch === this.position.epoch && fresh.position.version < this.position.version) return;
    this.#resyncs[reason] += 1;
    this.#broken = undefined;
    await this.#deliver(fresh);
    this.#pending.forgetUntil(this.position.seq);
  }

  async #replay(target: () => number): Promise<void> {
    while (this.position.seq < target()) {
      for (const { seq, commit } of await this.#batch(this.position.seq, target())) {
        if (seq <= this.position.seq) continue;
        const judgement = commit === undefined ? 'foreign' : judge(this.#current, commit);
        if (judgement === 'bad-digest') {
          this.#breakOff('digest');
          this.#rounds.want();
          return;
        }
        if (commit === undefined || judgement === 'foreign') this.#skip(seq);
        else if (commit.snapshotId === undefined) await this.#take(commit, seq);
        else await this.#deliver(await this.#rounds.bounded(this.#log.stateAfter(commit, seq, this.state)));
      }
      this.#pending.forgetUntil(this.position.seq);
    }
  }

  async #batch(after: number, target: number): Promise<readonly Read[]> {
    const count = Math.min(target - after, IN_FLIGHT);
    const seqs = Array.from({ length: count }, (_, index) => after + 1 + index);
    const read = async (seq: number) => ({
      seq,
      commit: this.#pending.get(seq) ?? (await this.#log.at(seq)),
    });
    try {
      const entries = await this.#rounds.bounded(Promise.all(seqs.map(read)));
      this.#misses = 0;
      return entries;
    } catch (error) {
      this.#misses += 1;
      if (this.#misses % MISSES_BEFORE_RESYNC === 0) this.#breakOff('missing');
      throw error;
    }
  }

  #take(commit: ConfigCommit, seq: number): Promise<void> | undefined {
    const { state, position: before } = this.#current;
    state.apply(commit.ops);
    this.#current = { state, position: positionAfter(commit, seq) };
    const handing = this.#hand(this.#current, () => this.#options.onCommit(commit, state, this.position));
    if (handing !== undefined) this.#current = { state, position: before };
    return handing;
  }

  #deliver(replica: Replica): Promise<void> | undefined {
    return this.#hand(replica, () => this.#options.onState(replica.state, replica.position));
  }

  /** Gives the owner a change. The position is where it was until the owner has taken or refused it. */
  #hand(replica: Replica, change: () => void | Promise<void>): Promise<void> | undefined {
    const finish = () => {
      this.#current = replica;
      this.#isDelivered = true;
      this.#handing = undefined;
      this.#waiters.check();
    };
    const work = this.#standing.handOver(replica.position, change);
    if (work === undefined) finish();
    else this.#handing = work.then(finish);
    return this.#handing;
  }

  #skip(seq: number): void {
    this.#counts.foreign += 1;
    this.#options.logger.warn({ seq }, 'message in the configuration log is no commit of it, skipped');
    this.#current = { state: this.state, position: { ...this.position, seq } };
  }

  #breakOff(reason: ResyncReason): void {
    if (reason === 'digest') this.#counts.badDigests += 1;
    this.#broken = reason;
    this.#options.logger.error({ reason, ...this.position }, 'configuration cannot be continued');
  }
}

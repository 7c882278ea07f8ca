import type { ConfigCommit } from '@sluice/contracts';

const MOST = 1000; // what does not fit is read from the log later

/** Live commits that came while the follower was busy, and how far it knows the log to reach. */
export class PendingCommits {
  readonly #bySeq = new Map<number, ConfigCommit>();
  #reaches = 0;

  get reaches(): number {
    return this.#reaches;
  }

  get(seq: number): ConfigCommit | undefined {
    return this.#bySeq.get(seq);
  }

  add(seq: number, commit: ConfigCommit): void {
    if (this.#bySeq.size < MOST) this.#bySeq.set(seq, commit);
  }

  /** The log has a message at this sequence. */
  reach(seq: number): void {
    this.#reaches = Math.max(this.#reaches, seq);
  }

  /** The log begins anew. */
  restart(): void {
    this.#reaches = 0;
  }

  forgetUntil(seq: number): void {
    for (const pending of this.#bySeq.keys()) if (pending <= seq) this.#bySeq.delete(pending);
  }
}

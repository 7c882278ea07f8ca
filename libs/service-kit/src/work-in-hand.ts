import { headers, type Msg } from 'nats';

/** Questions that one process works on at a time; with up to 64 checks in each that is far beyond what is healthy. */
const MAX_IN_HAND = 1000;
const NOBODY = 503;

/**
 * How much a process has taken on. Whoever asks it stops waiting after a fraction of a second; without a bound a
 * process that is held up would work through questions that nobody waits for any more, for ever further behind.
 */
export class WorkInHand {
  readonly #most: number;
  #count = 0;
  #turnedAway = 0;

  /** @param most Questions at one time; the next is turned away. */
  constructor(most = MAX_IN_HAND) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** False: the question has to be turned away. True: `done` has to be called once. */
  take(): boolean {
    if (this.#count >= this.#most) {
      this.#turnedAway += 1;
      return false;
    }
    this.#count += 1;
    return true;
  }

  done(): void {
    this.#count -= 1;
  }
}

/** Answers as the server does when there is nobody: who asks takes another way at once. */
export const turnAway = (question: Msg): void => {
  question.respond(undefined, { headers: headers(NOBODY, 'busy') });
};

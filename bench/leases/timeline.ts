/** Work in the order of a made-up time, in ms; as fast as the machine can. */
export class Timeline {
  now: number;
  readonly #heap: { readonly at: number; readonly work: () => void | Promise<void> }[] = [];

  constructor(start: number) {
    this.now = start;
  }

  after(ms: number, work: () => void | Promise<void>): void {
    const heap = this.#heap;
    const entry = { at: this.now + ms, work };
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= entry.at) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  /** Every promise that the work resolves has its say before the time goes on. */
  async runUntil(end: number): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) break;
      this.#removeFirst();
      this.now = next.at;
      const working = next.work();
      if (working !== undefined) await working;
    }
    this.now = end;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const isRight = right !== undefined && left !== undefined && right.at < left.at;
      const child = isRight ? right : left;
      if (child === undefined || child.at >= last.at) break;
      heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    heap[place] = last;
  }
}

/** Returns when every promise that is settled by now has had its say. */
export const promisesSettled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

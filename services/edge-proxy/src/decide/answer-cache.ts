import type { StoredAnswer } from '@sluice/plugins';
import { LRUCache } from 'lru-cache';

/** What an entry costs beside its body and headers, in bytes. */
const ENTRY_BYTES = 500;

const bytesOf = ({ body, headers }: StoredAnswer, key: string): number =>
  headers.reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    body.length + key.length + ENTRY_BYTES,
  );

/** Answers that may be given again, in this edge's memory. Bounded in bytes; the least recently used go first. */
export class AnswerCache {
  readonly #answers: LRUCache<string, StoredAnswer>;

  constructor(maxBytes: number) {
    this.#answers = new LRUCache({ maxSize: Math.max(1, maxBytes), sizeCalculation: bytesOf });
  }

  recall(key: string): StoredAnswer | undefined {
    return this.#answers.get(key);
  }

  remember(key: string, answer: StoredAnswer, keepSeconds: number): void {
    if (keepSeconds > 0) this.#answers.set(key, answer, { ttl: keepSeconds * 1000 });
  }

  /** An answer that is kept, without making it the most recently used one. */
  peek(key: string): StoredAnswer | undefined {
    return this.#answers.peek(key);
  }

  /** @returns whether there was one. */
  drop(key: string): boolean {
    const wasThere = this.peek(key) !== undefined;
    this.#answers.delete(key);
    return wasThere;
  }

  /** @returns how many there were. */
  clear(): number {
    const { size } = this.#answers;
    this.#answers.clear();
    return size;
  }

  get size(): number {
    return this.#answers.size;
  }
}

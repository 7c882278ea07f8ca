import { setFlagsFromString } from 'node:v8';

/** How the collector is told, and when: bytes, percent and ms. */
export interface HeapGrowthOptions {
  /** Resident memory from which on the heap grows slowly. */
  readonly fromBytes?: number;
  readonly everyMs?: number;
}

/** An edge without a large configuration stays below; one with 10,000 routes does not. */
const FROM_BYTES = 200 * 1024 * 1024;
/** Below this share of it the heap grows freely again, so that nothing goes to and fro. */
const BACK_BELOW = 0.9;
const EVERY_MS = 1000;
const SLOW_PERCENT = 20;
const FREELY = 0; // V8's own measure

/**
 * Lets the old generation grow by a fifth of what lives in it between two collections, once the process is large;
 * left to itself, V8 lets 110 MB become 340 before it looks. See docs/adr/0057. The flag is the process's: call it
 * once, where the process starts.
 * @returns ends the watch.
 */
export const watchHeapGrowth = ({
  fromBytes = FROM_BYTES,
  everyMs = EVERY_MS,
}: HeapGrowthOptions = {}): (() => void) => {
  let isSlow = false;
  const look = () => {
    const bytes = process.memoryUsage.rss();
    const shouldBeSlow = bytes >= (isSlow ? fromBytes * BACK_BELOW : fromBytes);
    if (shouldBeSlow === isSlow) return;
    isSlow = shouldBeSlow;
    setFlagsFromString(`--heap-growing-percent=${isSlow ? SLOW_PERCENT : FREELY}`);
  };
  const timer = setInterval(look, everyMs).unref();
  return () => clearInterval(timer);
};

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** How far the old generation may grow, in bytes, and how often it is looked at, in ms. */
export interface HeapGrowthOptions {
  /** It may grow to this between two collections, and beyond it by 15 % of what lives in it. */
  readonly roomBytes?: number;
  readonly everyMs?: number;
}

/** An edge without a large configuration stays below; one with 10,000 routes and 50,000 verdicts does not. */
const ROOM_BYTES = 120 * 1024 * 1024;
const LEAST_PERCENT = 15;
/** V8's own measure lets it grow to three or four times what lives. */
const MOST_PERCENT = 200;
const EVERY_MS = 250;

/** Living things and garbage of the old generation. */
const oldBytes = (): number =>
  getHeapSpaceStatistics().reduce(
    (sum, { space_name: name, space_used_size: used }) =>
      name.startsWith('new_') || name.startsWith('read_only') ? sum : sum + used,
    0,
  );

/**
 * Bounds the old generation of a process in which much lives; left to itself, V8 lets 110 MB become 340 before it
 * looks. What V8 is told counts from its next collection on, when no more lives than there is now: so the bound holds
 * however fast the process grows. See docs/adr/0057. The flag is the process's: call it once, where the process starts.
 * @returns ends the watch.
 */
export const watchHeapGrowth = ({
  roomBytes = ROOM_BYTES,
  everyMs = EVERY_MS,
}: HeapGrowthOptions = {}): (() => void) => {
  let percent = 0;
  const look = () => {
    const bytes = oldBytes();
    const wanted = Math.floor(((roomBytes - bytes) / bytes) * 100);
    const bounded = Math.min(MOST_PERCENT, Math.max(LEAST_PERCENT, wanted));
    if (bounded === percent) return;
    percent = bounded;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  const timer = setInterval(look, everyMs).unref();
  return () => clearInterval(timer);
};

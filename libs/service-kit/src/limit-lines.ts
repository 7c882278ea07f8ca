const LINE_EVERY_MS = 1000;

interface Held<T> {
  latest: T | undefined;
  count: number;
}

/**
 * Lets one line per key and second through: the first at once, then, while more come, the newest one each second
 * with the count of those left out. None is forgotten, and an outage does not fill the disk.
 */
export const limitLines = <T>(write: (line: T, leftOut: number) => void) => {
  const heldByKey = new Map<string, Held<T>>();
  const waitFor = (key: string, held: Held<T>): void => {
    setTimeout(() => {
      const { latest, count } = held;
      if (latest === undefined) {
        heldByKey.delete(key);
        return;
      }
      held.latest = undefined;
      held.count = 0;
      write(latest, count - 1);
      waitFor(key, held);
    }, LINE_EVERY_MS).unref();
  };
  return (key: string, line: T): void => {
    const held = heldByKey.get(key);
    if (held !== undefined) {
      held.latest = line;
      held.count += 1;
      return;
    }
    const fresh = { latest: undefined, count: 0 };
    heldByKey.set(key, fresh);
    write(line, 0);
    waitFor(key, fresh);
  };
};

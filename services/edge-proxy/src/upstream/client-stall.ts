import type { ServerResponse } from 'node:http';

interface Stall {
  since: number;
  left: number;
}

const stalls = new WeakMap<ServerResponse, Stall>();

/**
 * How long a client has taken nothing of what waits for it, in ms, as seen at the calls of this: 0 at the first one
 * and after every byte that it took. `now` is monotonic, in ms.
 */
export const stalledFor = (response: ServerResponse, now: number): number => {
  const left = response.socket?.writableLength ?? 0;
  const stall = stalls.get(response);
  if (stall !== undefined && stall.left === left) return now - stall.since;
  stalls.set(response, { since: now, left });
  return 0;
};

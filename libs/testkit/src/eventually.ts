import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries until `attempt` neither throws nor returns false, at most `withinMs`; then fails with its last error.
 * The bound is generous on purpose: it ends a test that hangs, it measures nothing.
 */
export const eventually = async <T>(attempt: () => T | Promise<T>, withinMs = 15_000): Promise<T> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      const result = await attempt();
      if (result !== false) return result;
      if (performance.now() > deadline) throw new Error(`still false after ${withinMs} ms`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(15);
  }
};

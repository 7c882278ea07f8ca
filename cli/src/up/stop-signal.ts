const SAME_KEY_PRESS_MS = 500; // a terminal sends Ctrl-C to the whole group, and npm passes it on again

/**
 * Resolves on the first SIGINT, SIGTERM or SIGHUP, or when the process that started us is gone. `onSecond` is for
 * somebody who does not want to wait.
 */
export const untilToldToStop = (onSecond: () => void): Promise<undefined> =>
  new Promise((resolve) => {
    let firstAt: number | undefined;
    const stop = (): void => {
      if (firstAt === undefined) firstAt = performance.now();
      else if (performance.now() - firstAt > SAME_KEY_PRESS_MS) onSecond();
      resolve(undefined);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
    if (process.channel !== undefined && process.channel !== null) process.once('disconnect', stop);
  });

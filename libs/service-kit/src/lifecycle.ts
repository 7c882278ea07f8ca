import type { Logger } from './logger.ts';

export interface ReadyMessage {
  readonly event: 'ready';
  readonly process: string;
  readonly instance: string;
  readonly ports: Readonly<Record<string, number>>;
  /** One phrase for a person's terminal. */
  readonly detail: string;
}

/** Tells whoever started this process that it works; says nothing when nobody listens. */
export const announceReady = (message: Omit<ReadyMessage, 'event'>): void => {
  process.send?.({ event: 'ready', ...message });
};

/**
 * Waits for SIGTERM, SIGINT or the end of the process that started this one, then runs `stop` and exits. A second
 * signal, or `limitMs` passing, ends the process at once. A rejection nobody handled ends it too: it is a bug, and
 * the supervisor starts a clean one. `contains` may say of such a failure that somebody else's code caused it and
 * that the process can go on.
 */
export const runUntilStopped = (
  logger: Logger,
  limitMs: number,
  stop: () => Promise<void>,
  contains: (error: unknown) => boolean = () => false,
): void => {
  let isStopping = false;
  const end = (why: string) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ why }, 'stopping');
    setTimeout(() => process.exit(1), limitMs + 2000).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
  process.on('disconnect', () => end('supervisor gone'));
  const endAtBug = (what: string) => (error: unknown) => {
    if (contains(error)) return;
    logger.fatal({ err: error }, what);
    logger.flush(() => process.exit(70));
    setTimeout(() => process.exit(70), 200).unref();
  };
  process.on('unhandledRejection', endAtBug('unhandled rejection'));
  process.on('uncaughtException', endAtBug('uncaught exception'));
};

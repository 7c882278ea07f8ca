import { createLogger, type Logger } from '@sluice/service-kit';

/** A logger that writes nothing, for tests that do not look at the log. */
export const silentLogger = (): Logger =>
  createLogger({ service: 'test', instance: 'test', level: 'silent' });

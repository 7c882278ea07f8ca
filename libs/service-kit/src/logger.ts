import { type DestinationStream, type Logger, pino } from 'pino';
import { redacted } from './redact.ts';

export type { Logger } from 'pino';

/** The process's logger: JSON lines on stdout with `service` and `instance`, without secrets. */
export const createLogger = (
  options: { service: string; instance: string; level: string },
  destination?: DestinationStream,
): Logger =>
  pino(
    {
      level: options.level,
      base: { service: options.service, instance: options.instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redacted, bindings: redacted },
      serializers: { err: (error: unknown) => error }, // `redacted` has brought it to its form
    },
    destination ?? pino.destination({ sync: false, minLength: 0 }),
  );

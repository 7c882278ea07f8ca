import { type DestinationStream, type Logger, pino } from 'pino';
import { redacted } from './redact.ts';

export type { Logger } from 'pino';

/** The process's logger: JSON lines on stdout with `service` and `instance`, without secrets. */
export const createLogger = (
  options: { service: string; instance: string; level: string },
  destination?: DestinationStream,
): Logger => {
  const logger = pino(
    {
      level: options.level,
      base: { service: options.service, instance: options.instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redacted },
      serializers: { err: (error: unknown) => error }, // `redacted` has brought it to its form
    },
    destination ?? pino.destination({ sync: false, minLength: 0 }),
  );
  const { child } = logger;
  // What a child is bound to is written before its lines are walked.
  logger.child = function (this: Logger, bindings, options) {
    return child.call(this, redacted(bindings), options) as never;
  };
  return logger;
};

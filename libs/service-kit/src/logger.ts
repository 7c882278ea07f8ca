import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Where a secret may stand in what is logged; removed by pino before the line is written. */
const SECRET_PATHS = ['authorization', 'cookie', 'token', 'secret', 'password', 'credential'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
);

/** The process's logger: JSON lines on stdout with `service` and `instance`. */
export const createLogger = (
  options: { service: string; instance: string; level: string },
  destination?: DestinationStream,
): Logger =>
  pino(
    {
      level: options.level,
      base: { service: options.service, instance: options.instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    },
    destination ?? pino.destination({ sync: false, minLength: 0 }),
  );

import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Where a secret may stand in what is logged; removed by pino before the line is written. */
const SECRET_PATHS = ['authorization', 'cookie', 'token', 'secret', 'password', 'credential'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
);

const MAX_CAUSES = 5;

/** What a log says about an error: nothing of its other fields, which may hold a command, a URL or a message. */
const errorOf = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return { type: typeof error, message: `${error}` };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack,
    ...(cause === undefined || depth === MAX_CAUSES ? {} : { cause: errorOf(cause, depth + 1) }),
  };
};

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
      serializers: { err: (error: unknown) => errorOf(error) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    },
    destination ?? pino.destination({ sync: false, minLength: 0 }),
  );

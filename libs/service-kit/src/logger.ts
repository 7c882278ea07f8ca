import { type DestinationStream, type Logger, pino } from 'pino';
import { redacted } from './redact.ts';

export type { Logger } from 'pino';

/** JSON leaves these as they are; readers of logs take them for the end of a line, or obey them. */
const BREAKING = /[\u007f-\u009f\u2028\u2029]/;
const EVERY_BREAKING = new RegExp(BREAKING, 'g');
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
const withoutBreaks = (line: string): string =>
  BREAKING.test(line) ? line.replace(EVERY_BREAKING, escaped) : line;

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
      hooks: { streamWrite: withoutBreaks },
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

/** Writes lines of one message at level `info` that the caller has made JSON of already. */
export interface LineWriter {
  /** Whether such a line would be written: ask before making one. */
  readonly isOn: () => boolean;
  /** `fields`: JSON members with a comma before each, in which the caller vouches that no secret is. */
  readonly write: (fields: string) => void;
  /** Hands on what waits, at the end. */
  readonly flush: () => void;
}

/** Lines wait so long for others, in ms, or until so many characters wait: each writing is a turn of a thread. */
const TOGETHER_MS = 20;
const TOGETHER_CHARS = 16 * 1024;

/**
 * For the one line that every request leaves behind: walking, serialising and redacting its fields by the logger
 * costs 25 µs, putting them together by hand a fifth of it. The lines have the form of the logger's own, and are
 * written some at a time.
 */
export const lineWriter = (logger: Logger, message: string): LineWriter => {
  const { [pino.symbols.streamSym as never]: stream } = logger as unknown as Record<
    string,
    DestinationStream
  >;
  const { service, instance } = logger.bindings();
  const bound = `,"service":${JSON.stringify(service)},"instance":${JSON.stringify(instance)}`;
  const end = `,"msg":${JSON.stringify(message)}}\n`;
  let atMs = 0;
  let start = '';
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') stream?.write(lines);
  };
  const flushLater = () => {
    timer = undefined;
    flush();
  };
  return {
    isOn: () => logger.isLevelEnabled('info'),
    flush,
    write: (fields) => {
      const now = Date.now();
      if (now !== atMs) {
        atMs = now;
        start = `{"level":"info","time":"${new Date(now).toISOString()}"${bound}`;
      }
      waiting += start + fields + end;
      if (waiting.length >= TOGETHER_CHARS) flush();
      else timer ??= setTimeout(flushLater, TOGETHER_MS);
    },
  };
};

import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';

const POLL_MS = 300;
const MAX_BYTES_PER_POLL = 256 * 1024; // an access log can grow faster than anybody reads
const KEPT_BYTES = 10 * 1024 ** 2;
const LEVELS: Readonly<Record<string, string>> = {
  40: 'warn',
  50: 'error',
  60: 'fatal',
  warn: 'warn',
  error: 'error',
  fatal: 'fatal',
};

interface Warning {
  readonly level: string;
  readonly text: string;
}

const KNOWN = new Set(['level', 'time', 'pid', 'hostname', 'service', 'instance', 'msg', 'err']);

/** The message, the error's own, and what else the entry says in a word. */
const textOf = (entry: { msg?: unknown; err?: { message?: unknown } }): string => {
  const said = [entry.msg, entry.err?.message].filter((part) => typeof part === 'string').join(': ');
  const rest = Object.entries(entry)
    .filter(([key, value]) => !KNOWN.has(key) && ['string', 'number'].includes(typeof value))
    .map(([key, value]) => `${key}=${value}`);
  return rest.length === 0 ? said : `${said} (${rest.join(', ')})`;
};

/** The passwords of `sluice up` are drawn for it alone, in a file that only its owner reads. */
const EXPECTED = /^Plaintext passwords detected/;

/** A line worth a person's attention: pino from warn on, NATS's [WRN], [ERR] and [FTL], Redis's `#`. */
export const warningIn = (line: string): Warning | undefined => {
  if (!line.startsWith('{')) {
    const plain = /\[(WRN|ERR|FTL)\] (.*)/.exec(line);
    const [, severity, text = ''] = plain ?? [];
    if (plain === null || EXPECTED.test(text)) return undefined;
    return { level: severity === 'WRN' ? 'warn' : 'error', text };
  }
  const level = LEVELS[/^\{"level":"?(\w+)"?/.exec(line)?.[1] ?? ''];
  if (level === undefined) return undefined;
  try {
    return { level, text: textOf(JSON.parse(line)) };
  } catch {
    return undefined; // half a line
  }
};

/** Starts a log anew when it has grown; one old file is kept. */
export const rotateLog = (file: string): void => {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < KEPT_BYTES) return;
  rmSync(`${file}.1`, { force: true });
  renameSync(file, `${file}.1`);
};

/** Reads what is added to the logs and reports the warnings in it. */
export class LogTail {
  readonly #files = new Map<string, { instance: string; offset: number; rest: string }>();
  readonly #report: (instance: string, warning: Warning) => void;
  readonly #timer: NodeJS.Timeout;

  constructor(report: (instance: string, warning: Warning) => void) {
    this.#report = report;
    this.#timer = setInterval(() => this.poll(), POLL_MS).unref();
  }

  follow(instance: string, file: string): void {
    const offset = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    this.#files.set(file, { instance, offset, rest: '' });
  }

  poll(): void {
    for (const [file, state] of this.#files) {
      const added = readFrom(file, state.offset);
      if (added === undefined) continue;
      const lines = (state.rest + added.text).split('\n');
      state.offset = added.end;
      state.rest = lines.pop() ?? '';
      for (const line of lines) {
        const warning = warningIn(line);
        if (warning !== undefined) this.#report(state.instance, warning);
      }
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.poll();
  }
}

/** What stands after `offset`, its end at most; undefined when there is nothing new. */
const readFrom = (file: string, offset: number): { text: string; end: number } | undefined => {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= offset) return undefined;
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(offset, size - MAX_BYTES_PER_POLL);
    const buffer = Buffer.alloc(size - start);
    const bytes = readSync(descriptor, buffer, 0, buffer.length, start);
    return { text: buffer.toString('utf8', 0, bytes), end: start + bytes };
  } finally {
    closeSync(descriptor);
  }
};

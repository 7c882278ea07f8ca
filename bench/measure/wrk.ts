import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const GRACE_MS = 20_000; // wrk waits for answers under way

/** What wrk is asked to do. */
export interface Load {
  readonly connections: number;
  readonly path: string;
  /** A Lua file that makes the requests. */
  readonly script?: string;
}

export interface WrkResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mbPerSecond: number;
  /** Answers other than 2xx and 3xx, and failed sockets. */
  readonly failures: number;
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };
const UNIT_MB: Readonly<Record<string, number>> = { B: 1e-6, KB: 1e-3, MB: 1, GB: 1e3 };

const msOf = (text: string, pattern: RegExp): number => {
  const [, figure, unit = ''] = pattern.exec(text) ?? [];
  return Number(figure) * (UNIT_MS[unit] ?? Number.NaN);
};

const mbOf = (text: string): number => {
  const [, figure, unit = ''] = /Transfer\/sec:\s+([\d.]+)(B|KB|MB|GB)/.exec(text) ?? [];
  return Number(figure) * (UNIT_MB[unit] ?? Number.NaN);
};

const failuresOf = (text: string): number => {
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const sockets = /Socket errors: (.*)/.exec(text)?.[1]?.match(/\d+/g) ?? [];
  return sockets.reduce((total, count) => total + Number(count), refused);
};

/** Reads wrk's report. */
export const parseWrk = (text: string): WrkResult => ({
  requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0),
  perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
  p50Ms: msOf(text, /50%\s+([\d.]+)(us|ms|s|m)/),
  p99Ms: msOf(text, /99%\s+([\d.]+)(us|ms|s|m)/),
  mbPerSecond: mbOf(text),
  failures: failuresOf(text),
});

/** Loads a port of this machine for whole seconds, with one thread. */
export const wrk = async (port: number, load: Load, seconds: number): Promise<WrkResult> => {
  const { connections, path, script } = load;
  const counts = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency'];
  const scripted = script === undefined ? [] : ['-s', script];
  const url = `http://127.0.0.1:${port}${path}`;
  const { stdout } = await run('wrk', [...counts, ...scripted, url], {
    timeout: seconds * 1000 + GRACE_MS,
    killSignal: 'SIGKILL',
  });
  return parseWrk(stdout);
};

import { userInfo } from 'node:os';
import { ask } from './ask.ts';
import { adminTokenOf, adminUrlOf } from './run-file.ts';
import { EXIT, type ExitCode, refuse, type Surroundings } from './surroundings.ts';

export interface AdminOptions {
  readonly admin?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

export interface AdminQuestion {
  readonly method?: string;
  readonly body?: string;
  /** Beside those that say who asks. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: 30 s. */
  readonly timeoutMs?: number;
}

export type AdminAnswer<T> =
  | { ok: true; value: T; header: (name: string) => string | undefined }
  | { ok: false; exitCode: ExitCode; why: string };

const TIMEOUT_MS = 30_000; // a rollback of 10,000 routes takes seconds on a small machine

/** The headers that say who asks, where the Admin API wants to know. */
export const adminHeaders = (io: Surroundings, options: AdminOptions): Readonly<Record<string, string>> => {
  const token = adminTokenOf(io, options);
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
};

/** One question to the Admin API, about its own endpoints. Never throws. */
export const readAdmin = async <T>(
  options: AdminOptions,
  io: Surroundings,
  path: string,
  question: AdminQuestion = {},
): Promise<AdminAnswer<T>> => {
  const admin = adminUrlOf(io, options);
  const headers = {
    ...adminHeaders(io, options),
    'content-type': 'application/json',
    'x-sluice-author': encodeURI(userInfo().username),
    ...question.headers,
  };
  try {
    const { status, text, header } = await ask(`${admin}${path}`, {
      timeoutMs: TIMEOUT_MS,
      ...question,
      headers,
    });
    if (status >= 200 && status < 300)
      return { ok: true, value: (text === '' ? undefined : JSON.parse(text)) as T, header };
    const why = errorIn(text) ?? `the Admin API answered ${status}`;
    return { ok: false, exitCode: status < 500 ? EXIT.invalid : EXIT.environment, why };
  } catch (error) {
    const why = `the Admin API at ${admin} does not answer: ${(error as Error).message} (start the gateway with npm start, or give --admin)`;
    return { ok: false, exitCode: EXIT.environment, why };
  }
};

/** The same, for commands that end without the answer. */
export const askAdmin = async <T>(
  options: AdminOptions,
  io: Surroundings,
  path: string,
  question: AdminQuestion = {},
): Promise<T | ExitCode> => {
  const answer = await readAdmin<T>(options, io, path, question);
  return answer.ok ? answer.value : refuse(io, answer.exitCode, answer.why, options);
};

const errorIn = (text: string): string | undefined => {
  try {
    return (JSON.parse(text) as { error?: { message?: string } }).error?.message;
  } catch {
    return undefined; // something other than our registry answered
  }
};

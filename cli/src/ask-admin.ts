import { ask } from './ask.ts';
import { adminUrlOf } from './run-file.ts';
import { EXIT, type ExitCode, refuse, type Surroundings } from './surroundings.ts';

export interface AdminOptions {
  readonly admin?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

export type AdminAnswer<T> = { ok: true; value: T } | { ok: false; exitCode: ExitCode; why: string };

const TIMEOUT_MS = 15_000;

/** One question to the Admin API, about its own endpoints. Never throws. */
export const readAdmin = async <T>(
  options: AdminOptions,
  io: Surroundings,
  path: string,
): Promise<AdminAnswer<T>> => {
  const admin = adminUrlOf(io, options);
  try {
    const { status, text } = await ask(`${admin}${path}`, { timeoutMs: TIMEOUT_MS });
    if (status === 200) return { ok: true, value: JSON.parse(text) as T };
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
): Promise<T | ExitCode> => {
  const answer = await readAdmin<T>(options, io, path);
  return answer.ok ? answer.value : refuse(io, answer.exitCode, answer.why, options);
};

const errorIn = (text: string): string | undefined => {
  try {
    return (JSON.parse(text) as { error?: { message?: string } }).error?.message;
  } catch {
    return undefined; // something other than our registry answered
  }
};

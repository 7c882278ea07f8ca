import { ask } from '../ask.ts';
import { adminHeaders } from '../ask-admin.ts';
import { adminUrlOf } from '../run-file.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';

interface HealthOptions {
  readonly json?: boolean;
  readonly admin?: string;
  readonly dataDir?: string;
}

const TIMEOUT_MS = 5_000;

const look = async (
  admin: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ healthy: boolean; detail: string }> => {
  try {
    const { status } = await ask(`${admin}/status`, { headers, timeoutMs: TIMEOUT_MS });
    return { healthy: status === 200, detail: `/status answered ${status}` };
  } catch (error) {
    return { healthy: false, detail: (error as Error).message };
  }
};

/** As `kong health`: 0 when the gateway answers, else 1. */
export const health = async (options: HealthOptions, io: Surroundings): Promise<number> => {
  const admin = adminUrlOf(io, options);
  const { healthy, detail } = await look(admin, adminHeaders(io, options));
  const exitCode = healthy ? EXIT.ok : EXIT.invalid;
  if (options.json) printJson(io.out, { healthy, admin, detail });
  else if (healthy) printLine(io.out, `${paint(io.out, 'green', '✔')} Sluice is healthy at ${admin}`);
  else printLine(io.err, `${paint(io.err, 'red', '✖')} Sluice is not running at ${admin}: ${detail}`);
  return exitCode;
};

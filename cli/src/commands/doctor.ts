import type { AdminOptions } from '../ask-admin.ts';
import { checkAdmin, checkFleet } from '../doctor/check-admin.ts';
import { checkBus } from '../doctor/check-bus.ts';
import { checkRedis } from '../doctor/check-redis.ts';
import type { Finding } from '../doctor/finding.ts';
import { dataDirOf, readRunFile } from '../run-file.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';

export interface DoctorOptions extends AdminOptions {
  readonly nats?: string;
  readonly redis?: string;
}

const DEFAULT_NATS = 'nats://127.0.0.1:4222';
const DEFAULT_REDIS = 'redis://127.0.0.1:6379';

/**
 * Looks at everything the gateway depends on and says what to do. Ends with 0 when all is well, 1 when requests are
 * served but something is wrong, and 3 when a part is gone.
 */
export const doctor = async (options: DoctorOptions, io: Surroundings): Promise<number> => {
  const run = readRunFile(dataDirOf(io, options.dataDir));
  const nats = options.nats ?? run?.nats ?? io.env.NATS_URL ?? DEFAULT_NATS;
  const redis = options.redis ?? run?.redis ?? io.env.REDIS_URL ?? DEFAULT_REDIS;
  const [admin, fleet, bus, store] = await Promise.all([
    checkAdmin(options, io),
    checkFleet(options, io),
    checkBus(nats, io),
    checkRedis(redis),
  ]);
  const findings = [...admin, ...fleet, ...bus, ...store];
  if (options.json) printJson(io.out, { findings });
  else for (const finding of findings) show(finding, io);
  return exitCodeOf(findings);
};

const SIGNS = { ok: ['green', '✔'], warning: ['yellow', '!'], failed: ['red', '✖'] } as const;

const show = ({ check, state, says, remedy }: Finding, io: Surroundings): void => {
  const [tone, sign] = SIGNS[state];
  printLine(io.out, `${paint(io.out, tone, sign)} ${check.padEnd(16)} ${says}`);
  if (remedy !== undefined) printLine(io.out, `  → ${remedy}`);
};

const exitCodeOf = (findings: readonly Finding[]): number => {
  if (findings.some(({ state }) => state === 'failed')) return EXIT.environment;
  return findings.some(({ state }) => state === 'warning') ? EXIT.invalid : EXIT.ok;
};

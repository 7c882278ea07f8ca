import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { withKongNames } from './kong-environment.ts';

/** Empty variables count as not set: `FOO= npm start` is how people clear one. */
const withoutEmpty = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined && e[1] !== ''),
  );

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** Kong's level names that pino lacks. */
const LEVEL_ALIASES: Record<string, string> = {
  notice: 'info',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  warning: 'warn',
};

/** Settings every process has; spread into a process's own schema. */
export const sharedSettings = {
  NATS_URL: z
    .string()
    .default('nats://127.0.0.1:4222')
    .describe('The bus; several servers are separated by commas.'),
  NATS_USER: z.string().optional().describe('User on the bus.'),
  NATS_PASSWORD: z.string().optional().describe('Password on the bus.'),
  NATS_CREDS: z.string().optional().describe('Path of a credentials file for the bus.'),
  NATS_TLS_CA: z
    .string()
    .optional()
    .describe('PEM file of the authorities that may sign the certificate of the bus; asks for TLS.'),
  NATS_TLS_CERT: z.string().optional().describe('PEM file of the certificate shown to the bus.'),
  NATS_TLS_KEY: z.string().optional().describe('PEM file of the key of NATS_TLS_CERT.'),
  INSTANCE: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .optional()
    .describe('Name of this process in metrics and $SRV; default <service>-<host>-<pid>.'),
  STATUS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .describe('Port of /livez, /readyz and /metrics; 0 takes a free one.'),
  STATUS_HOST: z.string().default('127.0.0.1').describe('Address of the status port.'),
  LOG_LEVEL: z
    .string()
    .default('info')
    .transform((level) => LEVEL_ALIASES[level] ?? level)
    .pipe(z.enum(LEVELS))
    .describe(`Least severe level that is logged: ${LEVELS.join(', ')}, or Kong’s names.`),
  DRAIN_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(30_000)
    .describe('Longest wait for work in flight at shutdown, in ms.'),
} as const;

/** Settings of the processes that use Redis. The original's single names build the URL when REDIS_URL is not set. */
export const redisSettings = {
  REDIS_URL: z
    .string()
    .optional()
    .describe(
      'The counter store: redis://host:port/db, redis+sentinel://host:port,host:port/name/db or redis+cluster://host:port,host:port; rediss for TLS.',
    ),
  REDIS_HOST: z.string().default('127.0.0.1').describe('Used when REDIS_URL is not set.'),
  REDIS_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(6379)
    .describe('Used when REDIS_URL is not set.'),
  REDIS_DB: z.coerce.number().int().min(0).default(0).describe('Used when REDIS_URL is not set.'),
  REDIS_PASSWORD: z.string().optional().describe('Used when REDIS_URL is not set.'),
} as const;

/** The one URL the Redis settings amount to. */
export const redisUrl = (settings: {
  REDIS_URL?: string | undefined;
  REDIS_HOST: string;
  REDIS_PORT: number;
  REDIS_DB: number;
  REDIS_PASSWORD?: string | undefined;
}): string => {
  if (settings.REDIS_URL !== undefined) return settings.REDIS_URL;
  const login =
    settings.REDIS_PASSWORD === undefined ? '' : `:${encodeURIComponent(settings.REDIS_PASSWORD)}@`;
  return `redis://${login}${settings.REDIS_HOST}:${settings.REDIS_PORT}/${settings.REDIS_DB}`;
};

/** A setting that does not parse; names each variable and what it should be, never its value. */
export class SettingsError extends Error {}

/**
 * `NAME_FILE` names a file that holds the value of `NAME`, as platforms hand out secrets; `NAME` itself goes before it.
 */
const withFiles = (schema: z.ZodObject, env: Readonly<Record<string, string>>): Record<string, string> => {
  const values = { ...env };
  for (const name of Object.keys(schema.shape)) {
    const path = env[`${name}_FILE`];
    if (path === undefined || env[name] !== undefined || `${name}_FILE` in schema.shape) continue;
    try {
      values[name] = readFileSync(path, 'utf8').trim();
    } catch (error) {
      const { code = 'unreadable' } = error as NodeJS.ErrnoException;
      throw new SettingsError(`These settings are not usable:\n  ${name}_FILE: cannot be read (${code})`);
    }
  }
  return values;
};

/**
 * Reads a process's settings from its environment, and from the files that it names.
 * @throws SettingsError naming every variable that is missing or wrong.
 */
export const readSettings = <S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv): z.output<S> => {
  const parsed = schema.safeParse(withFiles(schema, withKongNames(withoutEmpty(env))));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new SettingsError(`These settings are not usable:\n${lines.join('\n')}`);
};

const MAX_INSTANCE = 64;

/** Name of this process where none was given. With the host in it: in a container every process has the same id. */
export const instanceName = (service: string): string => {
  const end = `-${process.pid}`;
  const host = hostname().replaceAll(/[^A-Za-z0-9_.-]/g, '-');
  return `${service}-${host}`.slice(0, MAX_INSTANCE - end.length) + end;
};

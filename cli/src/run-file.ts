import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { pathOf, type Surroundings } from './surroundings.ts';

const RunFile = z.object({
  proxy: z.string(),
  admin: z.string(),
  /** The same by TLS; absent: off. */
  proxyTls: z.string().optional(),
  adminTls: z.string().optional(),
  nats: z.string(),
  redis: z.string(),
  /** Of the demo issuer; null without one. */
  issuer: z.string().nullable(),
  pids: z.record(z.string(), z.array(z.int())),
});

/** What a running gateway says about itself, for the other commands. */
export type RunFile = z.output<typeof RunFile>;

/** Holds the token of the Admin API where `sluice up` had to draw one. */
export const ADMIN_TOKEN_FILE = 'admin-token';

const DEFAULT_DATA_DIR = '.local';

export const dataDirOf = (io: Surroundings, given: string | undefined): string =>
  pathOf(io, given, DEFAULT_DATA_DIR);

const fileIn = (dataDir: string) => join(dataDir, 'run.json');

/** Written beside and renamed, so that a reader never sees half of it; for its owner alone, URLs may hold a login. */
export const writeRunFile = (dataDir: string, run: RunFile): void => {
  const draft = `${fileIn(dataDir)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, fileIn(dataDir));
};

export const removeRunFile = (dataDir: string): void => rmSync(fileIn(dataDir), { force: true });

/** Undefined when no gateway runs on these data, as far as the file knows. */
export const readRunFile = (dataDir: string): RunFile | undefined => {
  try {
    return RunFile.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8')));
  } catch {
    return undefined; // absent, or of a version that wrote it otherwise: the same as not running
  }
};

/** The token for the Admin API: that of the environment, or the one that the gateway of these data drew. */
export const adminTokenOf = (
  io: Surroundings,
  { admin, dataDir }: { admin?: string | undefined; dataDir?: string | undefined },
): string | undefined => {
  if (io.env.SLUICE_ADMIN_TOKEN) return io.env.SLUICE_ADMIN_TOKEN;
  if (admin !== undefined) return undefined; // somebody else's gateway gets no token of ours
  try {
    return readFileSync(join(dataDirOf(io, dataDir), ADMIN_TOKEN_FILE), 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** The Admin API to talk to: the one given, that of the running gateway, or the usual one. */
export const adminUrlOf = (
  io: Surroundings,
  { admin, dataDir }: { admin?: string | undefined; dataDir?: string | undefined },
): string =>
  (admin ?? readRunFile(dataDirOf(io, dataDir))?.admin ?? 'http://127.0.0.1:8001').replace(/\/+$/, '');

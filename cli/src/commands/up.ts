import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  readSettings,
  redisSettings,
  redisUrl,
  SettingsError,
  unusedKongNames,
  withoutKongNames,
} from '@sluice/service-kit';
import { z } from 'zod';
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript, shared with what runs before the install.
import { findServers, type ServerName } from '../../../tools/find-servers.mjs';
import {
  type Configuration,
  EMPTY_CONFIGURATION,
  explainRefusal,
  pluginsDirOf,
  readConfiguration,
} from '../configuration.ts';
import { dataDirOf } from '../run-file.ts';
import { EXIT, pathOf, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { choosePorts } from '../up/choose-ports.ts';
import { lockDataDir, nameGuard, unlockDataDir } from '../up/lock.ts';
import { Run } from '../up/run.ts';
import { untilToldToStop } from '../up/stop-signal.ts';
import { openTerminal } from '../up/terminal.ts';

export interface UpOptions {
  readonly demo?: boolean;
  readonly config?: string;
  readonly plugins?: string;
  readonly proxyPort: number;
  readonly adminPort: number;
  readonly tlsPort?: number | 'off';
  readonly adminTlsPort?: number | 'off';
  readonly host: string;
  readonly nats?: string;
  readonly redis?: string;
  /** Absent: one, or with the demo two: it takes two to try a configuration. */
  readonly edges?: number;
  readonly dataDir?: string;
  readonly restart: 'always' | 'never';
  readonly json?: boolean;
}

type Outcome<T> = { ok: true; value: T } | { ok: false; exitCode: number };

/** Undefined: the gateway starts empty. */
const sourceOf = (options: UpOptions, io: Surroundings): string | undefined => {
  const config = options.config ?? (io.env.DECLARATIVE_CONFIG || undefined);
  if (config === 'none') return undefined;
  const source = pathOf(io, config, 'config');
  return config === undefined && !existsSync(source) ? undefined : source;
};

const configurationOf = async (
  source: string | undefined,
  options: UpOptions,
  io: Surroundings,
): Promise<Outcome<Configuration>> => {
  if (source === undefined) return { ok: true, value: EMPTY_CONFIGURATION };
  const read = await readConfiguration(source, io);
  if (read.ok) return { ok: true, value: read.configuration };
  return { ok: false, exitCode: refuse(io, EXIT.invalid, read.problems.join('\n  '), options) };
};

/** The operator's servers, by a flag or by the names that every service and the original's sidecar have for them. */
interface GivenServers {
  readonly nats: string | undefined;
  readonly redis: string | undefined;
}

const serversOf = (options: UpOptions, io: Surroundings): Outcome<GivenServers> => {
  const { env } = io;
  const nats = options.nats ?? (env.NATS_URL || undefined);
  if (options.redis !== undefined || !(env.REDIS_URL || env.REDIS_HOST))
    return { ok: true, value: { nats, redis: options.redis } };
  try {
    return { ok: true, value: { nats, redis: redisUrl(readSettings(z.object(redisSettings), env)) } };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { ok: false, exitCode: refuse(io, EXIT.invalid, error.message, options) };
  }
};

const binariesFor = (
  { nats, redis }: GivenServers,
  options: UpOptions,
  io: Surroundings,
): Outcome<Record<string, string>> => {
  const wanted: ServerName[] = [];
  if (nats === undefined) wanted.push('nats-server');
  if (redis === undefined) wanted.push('redis-server');
  const say = (line: string) => printLine(io.err, line);
  const found = findServers({ wanted, path: io.env.PATH, say });
  if (found.ok) return { ok: true, value: found.paths };
  return { ok: false, exitCode: refuse(io, EXIT.environment, found.message, options) };
};

const MAX_PORT = 65_535;
/** Where Node has SO_REUSEPORT with connections spread over all who listen. */
const SHARES_PORTS: readonly string[] = ['linux', 'freebsd'];

/** What the service's own setting says; the flag goes before it. */
const portSetting = (
  name: 'TLS_PORT' | 'ADMIN_TLS_PORT',
  options: UpOptions,
  io: Surroundings,
): Outcome<number | 'off' | undefined> => {
  const text = io.env[name] ?? '';
  if (text === '') return { ok: true, value: undefined };
  if (text === 'off') return { ok: true, value: text };
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= MAX_PORT) return { ok: true, value: port };
  const message = `${name} is '${text}': give a port from 1 to ${MAX_PORT}, 0 for any free one, or off`;
  return { ok: false, exitCode: refuse(io, EXIT.invalid, message, options) };
};

const versionOf = ({ root }: Surroundings): string =>
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;

/** Everything that can be said before a process starts. */
const prepare = async (
  options: UpOptions,
  io: Surroundings,
  dataDir: string,
  unread: string | undefined,
): Promise<Outcome<Run>> => {
  const source = sourceOf(options, io);
  const pluginsDir = pluginsDirOf(io, options.plugins);
  const configuration = await configurationOf(source, options, io);
  if (!configuration.ok) return configuration;
  const servers = serversOf(options, io);
  if (!servers.ok) return servers;
  const { nats: natsUrl, redis: givenRedisUrl } = servers.value;
  const binaries = binariesFor(servers.value, options, io);
  if (!binaries.ok) return binaries;
  const tlsPort = portSetting('TLS_PORT', options, io);
  if (!tlsPort.ok) return tlsPort;
  const adminTlsPort = portSetting('ADMIN_TLS_PORT', options, io);
  if (!adminTlsPort.ok) return adminTlsPort;
  const { demo = false, proxyPort, adminPort, json = false } = options;
  const { edges = demo && SHARES_PORTS.includes(process.platform) ? 2 : 1 } = options;
  const choice = await choosePorts({
    proxyPort,
    adminPort,
    tlsPort: options.tlsPort ?? tlsPort.value,
    adminTlsPort: options.adminTlsPort ?? adminTlsPort.value,
    edges,
    demo,
    startsNats: natsUrl === undefined,
    startsRedis: givenRedisUrl === undefined,
  });
  if (!choice.ok) return { ok: false, exitCode: refuse(io, EXIT.environment, choice.message, options) };
  const terminal = openTerminal(io, json);
  terminal.begin(versionOf(io), demo);
  for (const note of choice.notes) terminal.note(note);
  if (unread !== undefined) terminal.note(unread);
  const run = new Run({
    io,
    terminal,
    dataDir,
    ports: choice.ports,
    host: options.host,
    configuration: configuration.value,
    pluginsDir,
    explainRefusal: (message) => explainRefusal(source, message, io, pluginsDir),
    natsUrl,
    redisUrl: givenRedisUrl,
    binaries: binaries.value,
    restarts: options.restart === 'always',
    echoesLogs: !json,
  });
  return { ok: true, value: run };
};

const serve = async (run: Run, options: UpOptions, io: Surroundings): Promise<number> => {
  const toldToStop = untilToldToStop(() => {
    run.kill();
    unlockDataDir(dataDirOf(io, options.dataDir));
    process.exit(EXIT.invalid); // the second Ctrl-C: at once
  });
  const started = await Promise.race([run.start(), toldToStop]);
  if (started !== undefined && !started.ok) {
    const exitCode = refuse(io, started.exitCode, started.message, options);
    await run.stop();
    return exitCode;
  }
  await toldToStop;
  await run.stop();
  return EXIT.ok;
};

/** Starts the gateway and stays until it is told to stop. */
export const up = async (options: UpOptions, given: Surroundings): Promise<number> => {
  const io = { ...given, env: withoutKongNames(given.env) };
  const dataDir = dataDirOf(io, options.dataDir);
  const owner = await lockDataDir(dataDir);
  if (owner !== undefined) {
    const message = `a gateway runs on ${dataDir} (pid ${owner}): stop it or give another --data-dir`;
    return refuse(io, EXIT.environment, message, options);
  }
  try {
    const prepared = await prepare(options, io, dataDir, unusedKongNames(given.env));
    if (!prepared.ok) return prepared.exitCode;
    nameGuard(dataDir, prepared.value.guardPid);
    return await serve(prepared.value, options, io);
  } finally {
    unlockDataDir(dataDir);
  }
};

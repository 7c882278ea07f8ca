import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript, shared with what runs before the install.
import { findServers, type ServerName } from '../../../tools/find-servers.mjs';
import {
  type Configuration,
  EMPTY_CONFIGURATION,
  explainRefusal,
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
  readonly proxyPort: number;
  readonly adminPort: number;
  readonly nats?: string;
  readonly redis?: string;
  readonly edges: number;
  readonly dataDir?: string;
  readonly restart: 'always' | 'never';
  readonly json?: boolean;
}

type Outcome<T> = { ok: true; value: T } | { ok: false; exitCode: number };

/** Undefined: the gateway starts empty. */
const sourceOf = ({ config }: UpOptions, io: Surroundings): string | undefined => {
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

const binariesFor = (options: UpOptions, io: Surroundings): Outcome<Record<string, string>> => {
  const wanted: ServerName[] = [];
  if (options.nats === undefined) wanted.push('nats-server');
  if (options.redis === undefined) wanted.push('redis-server');
  const say = (line: string) => printLine(io.err, line);
  const found = findServers({ wanted, path: io.env.PATH, say });
  if (found.ok) return { ok: true, value: found.paths };
  return { ok: false, exitCode: refuse(io, EXIT.environment, found.message, options) };
};

const versionOf = ({ root }: Surroundings): string =>
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;

/** Everything that can be said before a process starts. */
const prepare = async (options: UpOptions, io: Surroundings, dataDir: string): Promise<Outcome<Run>> => {
  const source = sourceOf(options, io);
  const configuration = await configurationOf(source, options, io);
  if (!configuration.ok) return configuration;
  const binaries = binariesFor(options, io);
  if (!binaries.ok) return binaries;
  const { demo = false, proxyPort, adminPort, edges, nats: natsUrl, redis: redisUrl, json = false } = options;
  const choice = await choosePorts({
    proxyPort,
    adminPort,
    edges,
    demo,
    startsNats: natsUrl === undefined,
    startsRedis: redisUrl === undefined,
  });
  if (!choice.ok) return { ok: false, exitCode: refuse(io, EXIT.environment, choice.message, options) };
  const terminal = openTerminal(io, json);
  terminal.begin(versionOf(io), demo);
  const run = new Run({
    io,
    terminal,
    dataDir,
    ports: choice.ports,
    configuration: configuration.value,
    explainRefusal: (message) => explainRefusal(source, message, io),
    natsUrl,
    redisUrl,
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
export const up = async (options: UpOptions, io: Surroundings): Promise<number> => {
  const dataDir = dataDirOf(io, options.dataDir);
  const owner = await lockDataDir(dataDir);
  if (owner !== undefined) {
    const message = `a gateway runs on ${dataDir} (pid ${owner}): stop it or give another --data-dir`;
    return refuse(io, EXIT.environment, message, options);
  }
  try {
    const prepared = await prepare(options, io, dataDir);
    if (!prepared.ok) return prepared.exitCode;
    nameGuard(dataDir, prepared.value.guardPid);
    return await serve(prepared.value, options, io);
  } finally {
    unlockDataDir(dataDir);
  }
};

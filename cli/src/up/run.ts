import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '../configuration.ts';
import { describePush, pushConfig } from '../push-config.ts';
import { ADMIN_TOKEN_FILE, type RunFile, removeRunFile, writeRunFile } from '../run-file.ts';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.ts';
import { drawPasswords } from './bus-passwords.ts';
import type { ChosenPorts } from './choose-ports.ts';
import { LogTail, rotateLog } from './log-tail.ts';
import { identityKeysFileIn, secretIn } from './secret-file.ts';
import { planNats, planRedis } from './servers.ts';
import { HOST, issuerUrlOf, planServices } from './services.ts';
import type { ProcessPlan } from './supervised.ts';
import { Supervisor } from './supervisor.ts';
import type { Terminal } from './terminal.ts';
import { untilApplied, untilKnown } from './until-applied.ts';

export interface RunSetup {
  readonly io: Surroundings;
  readonly terminal: Terminal;
  readonly dataDir: string;
  readonly ports: ChosenPorts;
  /** Address on which clients are served; anything but the loopback needs a token for the Admin API. */
  readonly host: string;
  readonly configuration: Configuration;
  /** A user's own plugins. */
  readonly pluginsDir: string | undefined;
  /** The registry's words about a configuration that it did not take, made useful to a person. */
  readonly explainRefusal: (message: string) => Promise<string>;
  /** Given by the operator; absent: started here. */
  readonly natsUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  /** Paths of the server programs that are started here. */
  readonly binaries: Readonly<Record<string, string>>;
  readonly restarts: boolean;
  readonly echoesLogs: boolean;
}

export type Started = { ok: true } | { ok: false; exitCode: ExitCode; message: string };

const PROCESSES = [
  'edge-proxy',
  'auth',
  'ratelimit',
  'quota-mirror',
  'config-registry',
  'nats-server',
  'redis-server',
];
const START_WITHIN_MS = 120_000;
const LAST_LINES = 8;
const PUSH_ATTEMPTS = 20;
const PUSH_RETRY_MS = 250;

const isLoopback = (host: string): boolean => host === '::1' || host.startsWith('127.');
/** Where this machine's own programs find what listens on that address. */
const reachedAt = (host: string): string => {
  if (host === '0.0.0.0' || host === '::') return HOST;
  return host.includes(':') ? `[${host}]` : host;
};

/** Neither empty nor a stack frame. */
const isTelling = (line: string): boolean => line.trim() !== '' && !/^\s+at /.test(line);

/** One gateway with everything that belongs to it, from start to stop. */
export class Run {
  readonly #setup: RunSetup;
  readonly #supervisor: Supervisor;
  readonly #tail: LogTail | undefined;
  readonly #busPasswords = drawPasswords();
  /** Of the Admin API, where it had to be drawn. */
  readonly #adminToken: string | undefined;
  #isReady = false;
  readonly #startedAt = performance.now();

  constructor(setup: RunSetup) {
    this.#setup = setup;
    const { terminal, restarts, host, io, dataDir } = setup;
    this.#adminToken =
      isLoopback(host) || io.env.ADMIN_TOKENS ? undefined : secretIn(dataDir, ADMIN_TOKEN_FILE);
    this.#tail = setup.echoesLogs
      ? new LogTail((instance, { level, text }) => terminal.logLine(instance, level, text))
      : undefined;
    this.#supervisor = new Supervisor({
      restarts,
      events: {
        onReady: (plan, pid, readiness, isFirst) => {
          if (isFirst) terminal.part(plan, pid, readiness);
          else terminal.restarted(plan, pid);
          if (this.#isReady) this.#writeRunFile();
        },
        onExit: (plan, pid, exit, retryMs) => {
          terminal.exited(plan, pid, exit, retryMs);
          if (this.#isReady) this.#writeRunFile();
        },
      },
    });
  }

  get guardPid(): number | undefined {
    return this.#supervisor.guardPid;
  }

  get #urls(): Omit<RunFile, 'pids'> {
    const { ports, natsUrl, redisUrl } = this.#setup;
    const host = reachedAt(this.#setup.host);
    return {
      proxy: `http://${host}:${ports.proxy}`,
      admin: `http://${host}:${ports.admin}`,
      ...(ports.tls.proxy === undefined ? {} : { proxyTls: `https://${host}:${ports.tls.proxy}` }),
      ...(ports.tls.admin === undefined ? {} : { adminTls: `https://${host}:${ports.tls.admin}` }),
      nats: natsUrl ?? `nats://operator:${this.#busPasswords.operator}@${HOST}:${ports.nats}`,
      redis: redisUrl ?? `redis://${HOST}:${ports.redis}`,
      issuer: issuerUrlOf(ports),
    };
  }

  /** The interface names these processes and no others, started here or not. */
  #pids(): Record<string, number[]> {
    const pids = this.#supervisor.pids();
    return Object.fromEntries(PROCESSES.map((name) => [name, pids[name] ?? []]));
  }

  #writeRunFile(): void {
    writeRunFile(this.#setup.dataDir, { ...this.#urls, pids: this.#pids() });
  }

  #launch(plan: ProcessPlan): Promise<void> {
    rotateLog(plan.logFile);
    this.#tail?.follow(plan.instance, plan.logFile);
    return this.#supervisor.start(plan).then(() => {});
  }

  async #startServers(): Promise<void> {
    const { io, dataDir, ports, binaries, natsUrl, redisUrl, terminal } = this.#setup;
    const setupOf = (binary = '', port = 0) => ({ binary, port, dataDir, env: io.env });
    if (natsUrl !== undefined) terminal.other('nats-server', `${hostsOf(natsUrl)} (yours)`);
    if (redisUrl !== undefined) terminal.other('redis-server', `${hostsOf(redisUrl)} (yours)`);
    await Promise.all([
      natsUrl === undefined &&
        this.#launch(planNats(setupOf(binaries['nats-server'], ports.nats), this.#busPasswords)),
      redisUrl === undefined && this.#launch(planRedis(setupOf(binaries['redis-server'], ports.redis))),
    ]);
  }

  async #startServices(): Promise<void> {
    const { io, dataDir, ports, pluginsDir, host } = this.#setup;
    const { redis: redisUrl } = this.#urls;
    const bus =
      this.#setup.natsUrl === undefined
        ? { natsUrl: `nats://${HOST}:${ports.nats}`, busPasswords: this.#busPasswords }
        : { natsUrl: this.#setup.natsUrl };
    if (pluginsDir !== undefined) this.#setup.terminal.other('plugins', pluginsDir);
    let version = 0;
    const apiKeyPepper = io.env.API_KEY_PEPPER || secretIn(dataDir, 'api-key-pepper');
    const identityKeysFile = io.env.IDENTITY_KEYS_FILE || identityKeysFileIn(dataDir);
    const adminTokens = this.#adminToken === undefined ? undefined : `owner:admin:${this.#adminToken}`;
    const setup = { root: io.root, env: io.env, dataDir, host, ports, pluginsDir, ...bus, redisUrl };
    const plans = planServices({ ...setup, apiKeyPepper, identityKeysFile, adminTokens });
    await Promise.all(
      plans.map(async (plan) => {
        await this.#launch(plan);
        if (plan.process === 'config-registry') version = await this.#push();
      }),
    );
    const { edges, registry } = ports.status;
    await Promise.all(edges.map((port) => untilApplied(`http://${HOST}:${port}`, version)));
    await untilKnown(`http://${HOST}:${registry}`, edges.length);
  }

  /** @returns the version that the configuration has now. */
  async #push(): Promise<number> {
    const { configuration, terminal, io } = this.#setup;
    const { admin } = this.#urls;
    const token = io.env.SLUICE_ADMIN_TOKEN || this.#adminToken;
    for (let attempt = 1; ; attempt++) {
      const pushed = await pushConfig({ admin, text: configuration.text, author: 'sluice up', token });
      if (pushed.ok) {
        terminal.other('configuration', `${configuration.label} · ${describePush(pushed)}`);
        return Number(pushed.generation?.replace(/^r/, '') ?? 0);
      }
      if (pushed.kind === 'refused') throw new Error(await this.#setup.explainRefusal(pushed.message));
      if (attempt === PUSH_ATTEMPTS) throw new Error(pushed.message);
      await new Promise((resolve) => setTimeout(resolve, PUSH_RETRY_MS));
    }
  }

  async #inTime(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(new Error(`not ready after ${START_WITHIN_MS / 1000} s: ${this.#supervisor.waitingFor()}`)),
        START_WITHIN_MS,
      );
    });
    await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  /** Resolves when a request would be served, or with the reason why none will be. */
  async start(): Promise<Started> {
    const { terminal } = this.#setup;
    try {
      await this.#inTime(this.#startServers());
    } catch (error) {
      return { ok: false, exitCode: EXIT.environment, message: this.#withLog(error) };
    }
    try {
      await this.#inTime(this.#startServices());
    } catch (error) {
      return { ok: false, exitCode: EXIT.invalid, message: this.#withLog(error) };
    }
    this.#isReady = true;
    this.#writeRunFile();
    if (this.#adminToken !== undefined)
      terminal.note(`the Admin API wants a token: ${join(this.#setup.dataDir, ADMIN_TOKEN_FILE)} holds it`);
    terminal.ready({ ...this.#urls, pids: this.#pids() }, performance.now() - this.#startedAt);
    return { ok: true };
  }

  /** The error, and the last words of a process that did not start. */
  #withLog(error: unknown): string {
    const { message } = error as Error;
    const instance = /^(\S+) did not start$/.exec(message)?.[1];
    const file = join(this.#setup.dataDir, 'logs', `${instance?.replace(/-1$/, '')}.log`);
    try {
      const last = readFileSync(file, 'utf8').split('\n').filter(isTelling).slice(-LAST_LINES);
      return [`${message}; the end of ${file}:`, ...last.map((line) => `    ${line}`)].join('\n');
    } catch {
      return message; // nothing was written
    }
  }

  async stop(): Promise<void> {
    this.#isReady = false;
    removeRunFile(this.#setup.dataDir);
    await this.#supervisor.stop();
    this.#tail?.stop();
  }

  kill(): void {
    this.#isReady = false;
    removeRunFile(this.#setup.dataDir);
    this.#supervisor.kill();
  }
}

/** Of one URL or several, without a login. */
const hostsOf = (urls: string): string => urls.replaceAll(/[a-z+]+:\/\/(?:[^@/,]*@)?|\/[^,]*/g, '');

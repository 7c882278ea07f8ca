import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Answer, type CallOptions, call, eventually } from '@sluice/testkit';

const ROOT = join(import.meta.dirname, '..');

/** As the starter runs it: bundled where `npm test` has made bundles, else from source. */
const mainOf = (name: string, source: string): string =>
  process.env.SLUICE_PROCESSES
    ? join(process.env.SLUICE_PROCESSES, name, 'main.js')
    : join(ROOT, source, 'main.ts');

/**
 * Waits that a busy machine does not outlast: what a limit or a token decides is looked at, and an edge that had
 * decided alone would say something else; a change is looked at when the edges have it; and what else the machine does
 * is no load of theirs.
 */
const PATIENT = {
  AUTH_TIMEOUT_MS: '10000',
  LIMIT_TIMEOUT_MS: '10000',
  COMMAND_TIMEOUT_MS: '9000',
  ACK_TIMEOUT_MS: '10000',
  OVERLOAD_LAG_MS: '1000',
};
/**
 * As a user's gateway: for those who look at what is decided while auth, ratelimit or Redis are away, or at overload,
 * and for whoever measures.
 */
export const AS_SHIPPED = {
  AUTH_TIMEOUT_MS: undefined,
  LIMIT_TIMEOUT_MS: undefined,
  COMMAND_TIMEOUT_MS: undefined,
  ACK_TIMEOUT_MS: undefined,
  OVERLOAD_LAG_MS: undefined,
};

export type ProcessName =
  | 'edge-proxy'
  | 'auth'
  | 'ratelimit'
  | 'quota-mirror'
  | 'config-registry'
  | 'nats-server'
  | 'redis-server';

export interface Ready {
  readonly proxy: string;
  readonly admin: string;
  /** Absent: off. */
  readonly proxyTls?: string;
  readonly adminTls?: string;
  readonly nats: string;
  readonly redis: string;
  readonly pids: Record<ProcessName, number[]>;
}

/** A process that `sluice up` started again. */
export interface Restarted {
  readonly process: string;
  readonly pid: number;
}

/** The whole gateway as a user starts it: `sluice up`, on free ports, with data in a folder of its own. */
export class RunningGateway implements AsyncDisposable {
  readonly ready: Ready;
  readonly dataDir: string;
  /** In the order of their restarts. */
  readonly restarted: readonly Restarted[];
  readonly #child: ChildProcess | undefined;
  readonly #env: NodeJS.ProcessEnv;
  readonly #started: ChildProcess[] = [];

  private constructor(
    ready: Ready,
    dataDir: string,
    child: ChildProcess | undefined,
    env: NodeJS.ProcessEnv,
    restarted: readonly Restarted[] = [],
  ) {
    this.ready = ready;
    this.restarted = restarted;
    this.dataDir = dataDir;
    this.#child = child;
    this.#env = env;
  }

  static async start(args: readonly string[], settings: NodeJS.ProcessEnv = {}): Promise<RunningGateway> {
    const env = { ...PATIENT, ...settings };
    const dataDir = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
    const all = [
      'up',
      '--json',
      '--edges',
      '1',
      '--proxy-port',
      '0',
      '--admin-port',
      '0',
      '--data-dir',
      dataDir,
      ...args,
    ];
    const child = spawn(process.execPath, [mainOf('cli', 'cli/src'), ...all], {
      cwd: ROOT,
      env: { ...process.env, SLUICE_ROOT: ROOT, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const lines = createInterface({ input: child.stdout });
    const restarted: Restarted[] = [];
    const ready = await new Promise<Ready>((resolve, reject) => {
      lines.on('line', (line) => {
        said.push(line);
        const event = JSON.parse(line) as { event: string };
        if (event.event === 'ready') resolve(event as unknown as Ready);
        if (event.event === 'restarted') restarted.push(event as unknown as Restarted);
      });
      child.once('exit', (code) => reject(new Error(`sluice up ended with ${code}:\n${said.join('\n')}`)));
    });
    return new RunningGateway(ready, dataDir, child, env, restarted);
  }

  /** Somebody else's gateway: it is not stopped when this is disposed of. */
  static of(ready: Ready): RunningGateway {
    return new RunningGateway(ready, '', undefined, {});
  }

  /** The command line's file, for who types commands. */
  get cli(): string {
    return mainOf('cli', 'cli/src');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** All edges, those started by hand too. */
  get edgePids(): readonly number[] {
    const byHand = this.#started.filter(({ spawnargs }) =>
      spawnargs.some((arg) => arg.includes('edge-proxy')),
    );
    return [...this.ready.pids['edge-proxy'], ...byHand.flatMap(({ pid }) => pid ?? [])];
  }

  /** A token of the demo issuer. */
  async token(tenant: string, user = 'user-456'): Promise<string> {
    const child = spawn(
      process.execPath,
      [mainOf('cli', 'cli/src'), 'token', '--tenant', tenant, '--user', user, '--data-dir', this.dataDir],
      { env: { ...process.env, SLUICE_ROOT: ROOT }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let token = '';
    child.stdout.on('data', (chunk: Buffer) => {
      token += chunk.toString();
    });
    await once(child, 'exit');
    return token.trim();
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return call(this.ready.proxy, path, { headers });
  }

  admin(path: string, options: CallOptions = {}): Promise<Answer> {
    return call(this.ready.admin, path, options);
  }

  signal(name: ProcessName, signal: NodeJS.Signals): void {
    for (const pid of this.ready.pids[name]) process.kill(pid, signal);
  }

  /** Starts one process by hand, as its own deployment would: by its environment alone. */
  startService(
    name: Exclude<ProcessName, 'nats-server' | 'redis-server'>,
    settings: NodeJS.ProcessEnv = {},
  ): void {
    const run = JSON.parse(readFileSync(join(this.dataDir, 'run.json'), 'utf8')) as { issuer: string | null };
    const child = spawn(process.execPath, [mainOf(name, `services/${name}/src`)], {
      cwd: ROOT,
      stdio: 'ignore',
      env: {
        ...process.env,
        ...this.#env,
        NATS_URL: this.ready.nats,
        REDIS_URL: this.ready.redis,
        STATUS_PORT: '0',
        DATA_DIR: join(this.dataDir, `${name}-again`),
        ...(run.issuer === null ? {} : { LOGTO_ISSUER: run.issuer }),
        ...settings,
      },
    });
    this.#started.push(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#started) child.kill('SIGKILL');
    for (const name of ['auth', 'ratelimit', 'quota-mirror', 'config-registry'] as const)
      for (const pid of this.ready.pids[name]) tryKill(pid, 'SIGCONT');
    if (this.#child === undefined) return;
    if (this.#child.exitCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exited;
    }
    const left = Object.values(this.ready.pids).flat();
    await eventually(() => left.every((pid) => !isAlive(pid)));
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** The bus's URL in the words of a plain client, which does not read a login in it. */
export const natsClient = (url: string) => {
  const { host, username, password } = new URL(url);
  return { servers: host, user: username, pass: password };
};

const tryKill = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // gone already
  }
};
/** Whether a process is there and runs. */
export const isAlive = (pid: number): boolean => tryKill(pid, 0);

/** `curl -F config=@kong.yml`, byte for byte. */
export const multipart = (text: string): CallOptions => {
  const boundary = '------------------------a1b2c3d4';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="config"; filename="kong.yml"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${head}${text}\r\n--${boundary}--\r\n`,
  };
};

/** Who a token speaks for; the usual user where it is none. */
const userOf = (token: string): string => {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims.sub === 'string' ? claims.sub : 'user-456';
  } catch {
    return 'user-456'; // no token at all
  }
};

export const r1Headers = (token: string, tenant: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  'x-tenant-id': tenant,
  'x-platform-id': 'platform-1',
  'x-user-id': userOf(token), // another one would be 403
});

/** `count` requests to a path with those headers, eight at a time. */
export const volley = async (
  gateway: RunningGateway,
  path: string,
  headers: Record<string, string>,
  count: number,
): Promise<Answer[]> => {
  const answers: Answer[] = [];
  while (answers.length < count) {
    const wave = Math.min(8, count - answers.length);
    answers.push(...(await Promise.all(Array.from({ length: wave }, () => gateway.get(path, headers)))));
  }
  return answers;
};

/** Decisions about limits by who made them, all edges together. */
export const limitDecisions = async (gateway: {
  readonly admin: (path: string) => Promise<Answer>;
}): Promise<Record<string, number>> => {
  const { text } = await gateway.admin('/metrics');
  const sums: Record<string, number> = {};
  for (const [, source = '', value] of text.matchAll(
    /^sluice_limit_decisions_total\{[^}]*source="(\w+)"[^}]*\} (\d+)$/gm,
  ))
    sums[source] = (sums[source] ?? 0) + Number(value);
  return sums;
};

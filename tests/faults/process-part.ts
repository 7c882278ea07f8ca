import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { call, eventually } from '@sluice/testkit';

const ROOT = join(import.meta.dirname, '..', '..');
const STARTS_WITHIN_MS = 30_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export type ServiceName = 'quota-mirror' | 'config-registry' | 'edge-proxy' | 'auth' | 'ratelimit';

/** The file that is run: the bundle where the starter has made bundles, else the source. */
const mainOf = (name: ServiceName): string => {
  const folder = process.env.SLUICE_PROCESSES ?? '';
  return folder === '' ? join(ROOT, 'services', name, 'src', 'main.ts') : join(folder, name, 'main.js');
};

/** One process of ours, which can be hurt as a server can. */
export class ProcessPart implements AsyncDisposable {
  readonly #name: ServiceName;
  readonly #env: NodeJS.ProcessEnv;
  readonly #statusPort: number;
  #child: ChildProcess | undefined;

  constructor(name: ServiceName, statusPort: number, env: NodeJS.ProcessEnv) {
    this.#name = name;
    this.#statusPort = statusPort;
    this.#env = env;
  }

  get statusUrl(): string {
    return `http://127.0.0.1:${this.#statusPort}`;
  }

  async start(): Promise<this> {
    const child = spawn(process.execPath, [mainOf(this.#name)], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        LOG_LEVEL: 'silent',
        ...this.#env,
        STATUS_PORT: `${this.#statusPort}`,
      },
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.#child = child;
    return Promise.resolve(this);
  }

  /** Resolves when the process says that it can work. */
  async ready(): Promise<void> {
    await eventually(async () => (await call(this.statusUrl, '/readyz')).status === 200, STARTS_WITHIN_MS);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

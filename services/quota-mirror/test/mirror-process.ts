import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ReadyMessage } from '@sluice/service-kit';
import type { ServerProcess } from '@sluice/testkit';

const MAIN = join(import.meta.dirname, '../src/main.ts');

/** The quota-mirror as a process of its own, as it is deployed. */
export class MirrorProcess implements AsyncDisposable {
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  ready: Promise<ReadyMessage> = Promise.reject(new Error('not started'));

  constructor(nats: ServerProcess, redis: ServerProcess, env: NodeJS.ProcessEnv = {}) {
    this.ready.catch(() => undefined);
    this.#env = {
      ...process.env,
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      STATUS_PORT: '0',
      LOG_LEVEL: 'silent',
      ...env,
    };
  }

  start(): this {
    const child = spawn(process.execPath, [MAIN], {
      env: this.#env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.ready = once(child, 'message').then(([message]) => message as ReadyMessage);
    return this;
  }

  /** @returns the exit code, or the signal that ended it. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | string> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return 'gone';
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code, by] = (await exited) as [number | null, string | null];
    return code ?? by ?? 'unknown';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

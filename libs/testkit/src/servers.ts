import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilStill } from './until-still.ts';

/** Below the ports that systems give to outgoing connections, which come and go at any time. */
const FREE_FROM = 15_000;
const FREE_TO = 32_000;

/** A TCP port that is free now on loopback. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(FREE_FROM, FREE_TO);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A real server process on a loopback port, with its data in a folder of its own; gone after `await using`. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly dataDir: string;
  readonly #command: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  constructor(
    command: string,
    args: readonly string[],
    where: { port: number; url: string; dataDir: string },
  ) {
    this.#command = command;
    this.#args = args;
    this.port = where.port;
    this.url = where.url;
    this.dataDir = where.dataDir;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<this> {
    const path = [process.env.PATH, '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'].join(delimiter);
    const child = spawn(this.#command, this.#args, { stdio: 'ignore', env: { ...process.env, PATH: path } });
    running.add(child);
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
    });
    child.once('exit', () => running.delete(child));
    this.#child = child;
    for (let attempt = 0; attempt < 500; attempt++) {
      if (failure !== undefined) throw failure;
      if (await accepts(this.port)) return this;
      await sleep(20);
    }
    throw new Error(`${this.#command} did not listen on ${this.port}`);
  }

  /** Ends the process (SIGKILL by default: a crash) and keeps its data. `start` brings it back. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await exited;
  }

  /** Another text for its configuration file; read at the next start. */
  rewrite(config: string): void {
    writeFileSync(join(this.dataDir, 'nats.conf'), config, { mode: 0o600 });
  }

  /** Freezes the process: it keeps its connections and answers nothing from now on. */
  freeze(): void {
    if (this.#child?.kill('SIGSTOP') === true) untilStill(this.#child.pid as number);
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const folder = (name: string): string => mkdtempSync(join(tmpdir(), `sluice-${name}-`));

/** A nats-server with JetStream; `config` is the text of a configuration file (users, TLS). */
export const startNats = async (options: { config?: string } = {}): Promise<ServerProcess> => {
  const port = await freePort();
  const dataDir = folder('nats');
  const args = ['-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', dataDir];
  if (options.config !== undefined) {
    const file = join(dataDir, 'nats.conf');
    writeFileSync(file, options.config, { mode: 0o600 });
    args.push('-c', file);
  }
  return new ServerProcess('nats-server', args, { port, url: `nats://127.0.0.1:${port}`, dataDir }).start();
};

/** A redis-server; `durable` keeps its data over a kill (append-only file, synced at each write). */
export const startRedis = async (options: { durable?: boolean } = {}): Promise<ServerProcess> => {
  const port = await freePort();
  const dataDir = folder('redis');
  const durability =
    options.durable === true ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dataDir, '--save', '', ...durability];
  return new ServerProcess('redis-server', args, { port, url: `redis://127.0.0.1:${port}`, dataDir }).start();
};

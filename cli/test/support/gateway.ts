import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SERVICES = ['edge-proxy', 'auth', 'ratelimit', 'quota-mirror', 'config-registry'];
const PATH = [process.env.PATH, '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'].join(':');

const MAX_RUN_MS = 20_000; // for a command that stays when it should end

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface JsonLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A repository in which every service is a stub. */
export class StubRepository implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  readonly dataDir = join(this.root, '.local');
  readonly #running = new Set<ChildProcess>();

  constructor() {
    writeFileSync(join(this.root, 'package.json'), JSON.stringify({ version: '0.0.0', type: 'module' }));
    for (const service of SERVICES) this.write(`services/${service}/src/main.ts`);
  }

  /** Puts a script where a service is expected: the stub, or the text given. */
  write(path: string, text?: string): void {
    const file = join(this.root, path);
    mkdirSync(join(file, '..'), { recursive: true });
    if (text === undefined) cpSync(join(import.meta.dirname, 'stub-service.ts'), file);
    else writeFileSync(file, text);
  }

  spawn(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const script = join(import.meta.dirname, 'run-cli.ts');
    const child = spawn(process.execPath, [script, this.root, ...args], {
      cwd: this.root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SLUICE_PROCESSES: '', PATH, NO_COLOR: '1', ...env },
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
    const child = this.spawn(args, env);
    const tooLong = setTimeout(() => child.kill('SIGTERM'), MAX_RUN_MS);
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(tooLong);
    return { code, out, err };
  }

  /** `sluice up --json` on free ports, and what it says line by line. */
  up(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): { child: ChildProcess; lines: JsonLines } {
    const base = ['up', '--json', '--config', 'none', '--proxy-port', '0', '--admin-port', '0'];
    const child = this.spawn([...base, ...args], env);
    return { child, lines: new JsonLines(child) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = [...this.#running].map((child) => once(child, 'exit'));
    for (const child of this.#running) child.kill('SIGTERM');
    await Promise.all(ends);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** The lines of a JSON output, kept so that none is missed between two waits. */
export class JsonLines {
  readonly #lines: AsyncIterator<string>;
  readonly seen: JsonLine[] = [];

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('the output is not piped');
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line with this event; fails when the output ends first. */
  async next(event: string): Promise<JsonLine> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`no ${event} line; there were ${JSON.stringify(this.seen)}`);
      const line = JSON.parse(value) as JsonLine;
      this.seen.push(line);
      if (line.event === event) return line;
    }
  }
}

/** False for a process that has ended and only waits for its parent to look. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux';
  }
};

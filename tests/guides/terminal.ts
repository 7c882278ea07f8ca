import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { eventually } from '@sluice/testkit';

const TYPED_WITHIN_MS = 60_000; // ends a block that hangs

export interface Typed {
  readonly said: string;
  /** Commands that ended with another code than 0, in their order. */
  readonly failed: readonly { readonly code: string; readonly command: string }[];
  /** Statuses that curl met. */
  readonly statuses: readonly number[];
}

export interface TerminalProps {
  /** Where the terminal keeps its notes. */
  readonly folder: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** What these commands are here, as a script of bash. */
  readonly commands: Readonly<Record<string, string>>;
}

/** A shell that somebody types into: what a block sets is there for the next one. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #shell: ChildProcess;
  #said = '';
  #typed = 0;

  constructor({ folder, cwd, env, commands }: TerminalProps) {
    this.#folder = folder;
    const bin = join(folder, 'bin');
    for (const name of ['bin', 'answers']) mkdirSync(join(folder, name), { recursive: true });
    for (const [name, script] of Object.entries(commands)) writeScript(join(bin, name), script);
    const path = [bin, env.PATH].join(delimiter);
    this.#shell = spawn('bash', ['--noprofile', '--norc'], {
      ...{ cwd, env: { ...env, PATH: path, ANSWERS: join(folder, 'answers') } },
      ...{ stdio: ['pipe', 'pipe', 'inherit'], detached: true }, // a group, to end what a block leaves
    });
    this.#shell.stdout?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    this.#send(`exec 2>&1; set -o pipefail; FAILED='${join(folder, 'failed')}'`);
    this.#send(`note_failure() { printf '%s %s\\n' "$?" "\${1%%$'\\n'*}" >> "$FAILED"; }`);
    this.#send(`trap 'note_failure "$BASH_COMMAND"' ERR`);
  }

  async type(text: string): Promise<Typed> {
    this.#typed += 1;
    const [script, end] = [join(this.#folder, `block-${this.#typed}.sh`), `end-of-block-${this.#typed}`];
    for (const note of ['failed', 'answers'])
      rmSync(join(this.#folder, note), { recursive: true, force: true });
    mkdirSync(join(this.#folder, 'answers'));
    writeFileSync(script, `${text}\ntrue\n`); // the last command's failure counts once
    this.#said = '';
    this.#send(`source ${script} < /dev/null; printf '\\n%s\\n' ${end}`);
    await this.#untilSaid(`\n${end}\n`, text);
    return {
      said: this.#said.split(`\n${end}\n`)[0] ?? '',
      failed: this.#failed(),
      statuses: this.#statuses(),
    };
  }

  #send(line: string): void {
    this.#shell.stdin?.write(`${line}\n`);
  }

  async #untilSaid(end: string, text: string): Promise<void> {
    await eventually(() => {
      if (!this.#said.includes(end)) throw new Error(`it has not ended:\n${text}${this.#said}`);
    }, TYPED_WITHIN_MS);
  }

  #failed(): Typed['failed'] {
    return linesOf(join(this.#folder, 'failed')).map((line) => {
      const [, code = '', command = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
      return { code, command };
    });
  }

  /** Of every call of curl the last answer, for it may have followed others. */
  #statuses(): number[] {
    const folder = join(this.#folder, 'answers');
    return readdirSync(folder)
      .map((name) => join(folder, name))
      .sort((one, other) => statSync(one).mtimeMs - statSync(other).mtimeMs)
      .map((note) => [...readFileSync(note, 'utf8').matchAll(/< HTTP\/[\d.]+ (\d{3})/g)].at(-1))
      .map((found) => Number(found?.[1] ?? 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode } = this.#shell;
    if (pid === undefined || exitCode !== null) return;
    const exited = once(this.#shell, 'exit');
    process.kill(-pid, 'SIGKILL');
    await exited;
  }
}

const writeScript = (path: string, script: string): void => {
  writeFileSync(path, `#!/bin/bash\n${script}\n`);
  chmodSync(path, 0o755);
};

const linesOf = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return []; // nothing was noted
  }
};

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const RESULTS = join(ROOT, 'bench', 'results');
const GIB = 1024 ** 3;

const outputOf = (command: string, args: readonly string[]): string => {
  try {
    return execFileSync(command, args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch {
    return ''; // the program is not there, or this is no clone
  }
};

/** What a result was measured on and with. */
export interface Surroundings {
  readonly at: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly nats: string;
  readonly redis: string;
  /** Whether processes ran as bundles, as in a deployment, or from source. */
  readonly processes: 'bundles' | 'source';
}

const VERSION = /\d+\.\d+\.\d+/;

export const surroundings = (): Surroundings => {
  const changed =
    outputOf('git', ['status', '--porcelain', '--untracked-files=no']) === '' ? '' : ' with changes';
  return {
    at: new Date().toISOString(),
    commit: `${outputOf('git', ['rev-parse', '--short', 'HEAD'])}${changed}`,
    cpu: cpus()[0]?.model.trim() ?? '',
    cores: availableParallelism(),
    memoryGib: Math.round((totalmem() / GIB) * 10) / 10,
    system: `${type()} ${release()}`,
    node: process.version,
    nats: VERSION.exec(outputOf('nats-server', ['--version']))?.[0] ?? '',
    redis: VERSION.exec(outputOf('redis-server', ['--version']))?.[0] ?? '',
    processes: process.env.SLUICE_PROCESSES ? 'bundles' : 'source',
  };
};

/** Writes one file under bench/results. */
export const save = (name: string, content: string): void => {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, name), content);
};

/** Writes what a section measured, with what it was measured on. */
export const saveJson = (section: string, result: object): void =>
  save(`${section}.json`, `${JSON.stringify({ on: surroundings(), ...result }, undefined, 1)}\n`);

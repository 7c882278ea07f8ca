import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const TEST_TIMEOUT_MS = 30_000;
const ENDS_WITHIN_MS = 300_000;

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export interface Failure {
  readonly name: string;
  /** The first line of what the test said. */
  readonly said: string;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: readonly Failure[];
  /** Why nothing ran: a file that cannot be loaded, or no end. */
  readonly problem: string | undefined;
}

const plain = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Runs those tests of a copy of the sources whose names contain one of the titles. */
export const runTests = async (
  root: string,
  files: readonly string[],
  titles: readonly string[],
): Promise<Outcome> => {
  const report = join(root, `report-${crypto.randomUUID()}.json`);
  const args = [
    ...[join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...files],
    ...['--testNamePattern', titles.map(plain).join('|'), `--testTimeout=${TEST_TIMEOUT_MS}`],
    ...['--reporter=json', `--outputFile=${report}`],
  ];
  // From source: bundles would be of the sources as they were. In a group of its own: what a broken one leaves ends.
  const env = { ...process.env, SLUICE_PROCESSES: '', SLUICE_ROOT: root };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'ignore', detached: true });
  const endAll = () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // all of them have ended
    }
  };
  process.once('exit', endAll);
  const timer = setTimeout(endAll, ENDS_WITHIN_MS);
  await once(child, 'exit');
  clearTimeout(timer);
  endAll();
  process.off('exit', endAll);
  const outcome = readOutcome(report);
  rmSync(report, { force: true });
  return outcome;
};

const readOutcome = (path: string): Outcome => {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: [], problem: `no report within ${ENDS_WITHIN_MS / 1000} s` };
  }
  const ran = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = ran
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages: [text = ''] }) => ({
      name: fullName,
      said: text.split('\n')[0] ?? '',
    }));
  const passed = ran.filter(({ status }) => status === 'passed').length;
  const broken = report.testResults.find(({ message }) => message !== '')?.message;
  return { passed, failed, problem: passed + failed.length > 0 ? undefined : (broken ?? 'no test ran') };
};

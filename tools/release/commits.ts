import { execFileSync } from 'node:child_process';

/** A commit as a release sees it. */
export interface Commit {
  readonly hash: string;
  readonly subject: string;
  readonly areas: readonly string[];
  readonly isBreaking: boolean;
  /** From the workspace's root. */
  readonly files: readonly string[];
}

const [FIELD, RECORD] = ['\x1f', '\x1e'];
const SUBJECT = /^(?<areas>[\w-]+(?:, ?[\w-]+)*)(?:\([^)]*\))?(?<breaking>!)?: \S/;

/** @throws Error when the commit is not in this clone. */
export const commitsSince = (folder: string, commit: string): Commit[] => {
  const format = `--format=${RECORD}%h${FIELD}%s${FIELD}%b${FIELD}`;
  const args = ['log', '--no-merges', '--name-only', '--no-renames', format, `${commit}..HEAD`];
  const log = execFileSync('git', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return log.split(RECORD).slice(1).map(parseCommit);
};

const parseCommit = (record: string): Commit => {
  const [hash = '', subject = '', body = '', files = ''] = record.split(FIELD);
  const { areas = '', breaking } = SUBJECT.exec(subject)?.groups ?? {};
  return {
    ...{ hash, subject, areas: areas.split(',').map((area) => area.trim()) },
    isBreaking: breaking !== undefined || /^BREAKING CHANGE: /m.test(body),
    files: files.split('\n').filter((file) => file !== ''),
  };
};

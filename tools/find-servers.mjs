// Finds nats-server, redis-server and what tests need besides, or installs them where that takes one command and no question.
// Plain JavaScript on node: modules alone: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @typedef {'nats-server' | 'redis-server' | 'prometheus' | 'chromium'} ServerName
 * @typedef {{ ok: true, paths: Record<string, string> } | { ok: false, missing: ServerName[], message: string }} Found
 * @typedef {object} Search
 * @property {ServerName[]} wanted
 * @property {string | undefined} path The PATH to search.
 * @property {string[]} [otherDirs] Searched after PATH.
 * @property {string} [platform]
 * @property {boolean} [mayInstall] May use the system's package manager.
 * @property {string} [policyFile] Debian's switch against services that start on installation.
 * @property {(line: string) => void} say Gets one line before something slow.
 */

/** Where packages put servers that are not on everybody's PATH. */
export const OTHER_DIRS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Programs that serve: Valkey speaks Redis's protocol and takes its flags. */
const PROGRAMS = {
  'nats-server': ['nats-server'],
  'redis-server': ['redis-server', 'valkey-server'],
  prometheus: ['prometheus'],
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
};

/** Debian's packages, where they are not called as the program. A browser without a font measures no text. */
const PACKAGES = { chromium: ['chromium', 'fonts-dejavu-core'] };

/** @param {string} file */
const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/**
 * @param {string} program
 * @param {string[]} dirs
 */
const findProgram = (program, dirs) => dirs.map((dir) => join(dir, program)).find(isExecutable);

/** @param {Search} search */
const dirsOf = ({ path = '', otherDirs = OTHER_DIRS }) => [
  ...path.split(delimiter).filter((dir) => dir !== ''),
  ...otherDirs,
];

/**
 * @param {Search} search
 * @returns {Record<string, string>}
 */
const locate = (search) => {
  const dirs = dirsOf(search);
  /** @type {Record<string, string>} */
  const paths = {};
  for (const server of search.wanted) {
    const file = PROGRAMS[server].map((program) => findProgram(program, dirs)).find(Boolean);
    if (file !== undefined) paths[server] = file;
  }
  return paths;
};

/**
 * Signals wait until `work` is done, so that its clean-up runs.
 * @template T
 * @param {() => T} work
 * @returns {T}
 */
const holdingSignals = (work) => {
  const hold = () => {};
  process.on('SIGINT', hold).on('SIGTERM', hold);
  try {
    return work();
  } finally {
    process.off('SIGINT', hold).off('SIGTERM', hold);
  }
};

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Search} search
 */
const run = (command, args, { path }) =>
  spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, PATH: path ?? '', DEBIAN_FRONTEND: 'noninteractive' },
  });

/**
 * Debian starts a service as soon as its package is there. A policy-rc.d that answers 101 forbids it; one that
 * somebody else wrote stays as it is.
 * @param {string[]} packages
 * @param {Search} search
 */
const aptInstall = (packages, search) => {
  const { policyFile = '/usr/sbin/policy-rc.d' } = search;
  const isOurs = !existsSync(policyFile);
  if (isOurs) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], search);
    const first = install();
    if (first.status === 0 || run('apt-get', ['update'], search).status !== 0) return first;
    return install(); // the first failed because the lists were missing or too old
  } finally {
    if (isOurs) rmSync(policyFile, { force: true });
  }
};

/**
 * @param {ServerName[]} missing
 * @param {Search} search
 * @returns {string | undefined} Why the installation failed, when it was tried and failed.
 */
const install = (missing, search) => {
  const dirs = dirsOf(search);
  const { platform = process.platform } = search;
  const hasApt =
    platform === 'linux' && process.getuid?.() === 0 && findProgram('apt-get', dirs) !== undefined;
  const hasBrew = platform === 'darwin' && findProgram('brew', dirs) !== undefined;
  if (!hasApt && !hasBrew) return undefined;
  const packages = hasApt
    ? missing.flatMap((server) => PACKAGES[/** @type {keyof typeof PACKAGES} */ (server)] ?? [server])
    : missing.map((server) => (server === 'redis-server' ? 'redis' : server));
  const command = hasApt ? 'apt-get install' : 'brew install';
  search.say(`installing ${missing.join(' and ')} with ${command}`);
  const done = holdingSignals(() =>
    hasApt ? aptInstall(packages, search) : run('brew', ['install', ...packages], search),
  );
  if (done.status === 0) return undefined;
  const lastLines = `${done.stderr ?? ''}`.trim().split('\n').slice(-3).join('\n    ');
  return `${command} failed: ${lastLines || done.error?.message || `exit code ${done.status}`}`;
};

/**
 * @param {ServerName[]} missing
 * @param {string | undefined} failure
 */
const explain = (missing, failure) =>
  [
    ...missing.map((server) => `${PROGRAMS[server].join(' or ')} not found on PATH`),
    ...(failure === undefined ? [] : [failure]),
    ...missing.filter(isForTests).map((server) => {
      const packages = PACKAGES[/** @type {keyof typeof PACKAGES} */ (server)] ?? [server];
      return `Install with: sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
    }),
    ...(missing.every(isForTests) ? [] : SERVER_REMEDIES),
  ].join('\n');

/** @param {ServerName} server */
const isForTests = (server) => server === 'prometheus' || server === 'chromium';

const SERVER_REMEDIES = [
  'Install with one of:',
  '  sudo apt-get install -y --no-install-recommends nats-server redis-server',
  '  brew install nats-server redis',
  '  docker compose -f deploy/compose.yaml up -d nats redis',
  'or use servers that run already: npm start -- --nats nats://127.0.0.1:4222 --redis redis://127.0.0.1:6379',
];

/**
 * Paths of the servers wanted, after an installation when needed and possible; else what a person can do.
 * @param {Search} search
 * @returns {Found}
 */
export const findServers = (search) => {
  const absentFrom = (/** @type {Record<string, string>} */ paths) =>
    search.wanted.filter((server) => paths[server] === undefined);
  let paths = locate(search);
  let missing = absentFrom(paths);
  if (missing.length === 0) return { ok: true, paths };
  const failure = search.mayInstall === false ? undefined : install(missing, search);
  paths = locate(search);
  missing = absentFrom(paths);
  if (missing.length === 0) return { ok: true, paths };
  return { ok: false, missing, message: explain(missing, failure) };
};

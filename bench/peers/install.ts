import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const OTHER_DIRS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const INSTALL_WITHIN_MS = 180_000;

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Where a program is, on the PATH or where packages put servers. */
export const findProgram = (name: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), ...OTHER_DIRS]
    .map((dir) => join(dir, name))
    .find(isExecutable);

const apt = (...args: string[]) =>
  spawnSync('apt-get', args, {
    encoding: 'utf8',
    timeout: INSTALL_WITHIN_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });

/** Debian starts a service as soon as its package is there; a policy that answers 101 forbids it. */
const aptInstall = (names: readonly string[]): boolean => {
  const isOurs = !existsSync(POLICY_FILE);
  if (isOurs) writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const install = () => apt('install', '-y', '--no-install-recommends', ...names).status === 0;
    return install() || (apt('update').status === 0 && install());
  } finally {
    if (isOurs) rmSync(POLICY_FILE, { force: true });
  }
};

const HOW_TO = (names: readonly string[]): string =>
  `install them by hand: apt-get install ${names.join(' ')} (Debian), brew install ${names.join(' ')} (macOS)`;

/**
 * The programs that are there, by name: those that are missing are installed where that takes root and apt-get
 * alone; else `say` gets what to do, and they stay away.
 */
export const findOrInstall = (
  names: readonly string[],
  say: (line: string) => void,
): Readonly<Record<string, string>> => {
  const locate = () =>
    Object.fromEntries(names.flatMap((name) => [[name, findProgram(name)] as const]).filter(([, at]) => at));
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) {
    say(`missing: ${missing.join(', ')}`);
    const mayInstall = process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
    if (mayInstall) say(`installing ${missing.join(', ')} with apt-get (once)`);
    if (!mayInstall || !aptInstall(missing)) say(`${HOW_TO(missing)}; their rows are left out`);
  }
  return locate() as Record<string, string>;
};

/** Gateways from npm to compare with; they are no part of the product, so they live in a folder of their own. */
const NPM_PEERS = { '@fastify/http-proxy': '11.6.3', fastify: '5.12.8', 'fast-gateway': '3.4.7' } as const;

/** The folder with those packages; undefined, with the reason said: their rows are left out. */
export const installNpmPeers = (root: string, say: (line: string) => void): string | undefined => {
  const folder = join(root, 'node_modules', '.cache', 'sluice', 'peers');
  const manifest = JSON.stringify({ private: true, dependencies: NPM_PEERS });
  const isThere = Object.keys(NPM_PEERS).every((name) => existsSync(join(folder, 'node_modules', name)));
  if (isThere) return folder;
  say(`installing ${Object.keys(NPM_PEERS).join(', ')} from npm (once, in ${folder})`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), manifest);
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: INSTALL_WITHIN_MS,
  });
  if (npm.status === 0) return folder;
  const why = `${npm.stderr ?? ''}${npm.error?.message ?? ''}`.trim().split('\n').at(-1);
  say(`npm install failed (${why}): the rows of @fastify/http-proxy and fast-gateway are left out`);
  return undefined;
};

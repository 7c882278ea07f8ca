// What every npm script starts with: installs what is missing, then runs the pinned Node. Runs on any Node >= 20.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// biome-ignore lint/correctness/useImportExtensions: the rule mistakes the declarations beside it for the module.
import { findServers, OTHER_DIRS } from './find-servers.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const PINNED_NODE = join(MODULES, '.bin', 'node');
const EXIT_ENVIRONMENT = 3;
const MIN_MAJOR = 24; // the first Node that runs our TypeScript as it is

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @param {string} message */
const giveUp = (message) => {
  say(message);
  process.exit(EXIT_ENVIRONMENT);
};

const isInstalled = () => {
  const marker = join(MODULES, '.package-lock.json');
  const lock = join(ROOT, 'package-lock.json');
  if (!existsSync(marker)) return false;
  return !existsSync(lock) || statSync(marker).mtimeMs >= statSync(lock).mtimeMs;
};

const installDependencies = () => {
  if (isInstalled()) return;
  say('installing npm dependencies (once; takes about a minute)');
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (npm.status !== 0) {
    const output = `${npm.stdout ?? ''}${npm.stderr ?? ''}${npm.error?.message ?? ''}`;
    // The pinned Node is linked with it, and a small system has it not.
    const hint = /libatomic\.so/.test(output) ? ' (on Debian: apt-get install libatomic1)' : '';
    giveUp(`${output.trim()}\nnpm install failed: fix the cause above${hint} and try again`);
  }
  const now = new Date(); // npm leaves the marker alone when nothing changed
  if (existsSync(join(MODULES, '.package-lock.json')))
    utimesSync(join(MODULES, '.package-lock.json'), now, now);
  bundleProcesses();
};

const findNode = () => {
  if (existsSync(PINNED_NODE)) return PINNED_NODE;
  if (Number.parseInt(process.versions.node, 10) >= MIN_MAJOR) return process.execPath;
  return giveUp(
    'node_modules/.bin/node is missing: run npm install (install scripts of the package "node" allowed)',
  );
};

/**
 * Runs the pinned Node in our place: its signals, its output, its exit code.
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
const become = (args, options) => {
  const child = spawn(findNode(), args, { stdio: 'inherit', ...options });
  const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass).on('SIGHUP', pass);
  child.on('error', (error) => giveUp(`cannot run ${findNode()}: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
};

/** @param {NodeJS.ProcessEnv} env */
const withPath = (env) => ({
  ...env,
  PATH: [join(MODULES, '.bin'), process.env.PATH ?? '', ...OTHER_DIRS].filter(Boolean).join(delimiter),
});

const CACHE = join(MODULES, '.cache', 'sluice');
const BUNDLER = join(ROOT, 'tools', 'bundle-processes.ts');
const BUNDLE = join(ROOT, 'tools', 'bundle.ts');
const BUNDLE_CONSOLE = join(ROOT, 'tools', 'bundle-console.ts');

/** Every file a process is made of, by name, size and time: what says that the bundles are of these sources. */
const fingerprint = () => {
  const hash = createHash('sha256').update(findNode());
  const isOf = (/** @type {string} */ file) => {
    const found = statSync(file, { throwIfNoEntry: false }); // an editor's lock is a link to nowhere
    hash.update(`${file} ${found?.size} ${found?.mtimeMs}\n`);
  };
  const look = (/** @type {string} */ folder) => {
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
      isOf(join(folder, name));
  };
  for (const group of ['libs', 'services'])
    if (existsSync(join(ROOT, group)))
      for (const room of readdirSync(join(ROOT, group)).sort()) look(join(ROOT, group, room, 'src'));
  look(join(ROOT, 'cli', 'src'));
  look(join(ROOT, 'console', 'src'));
  for (const file of [BUNDLER, BUNDLE, BUNDLE_CONSOLE, join(MODULES, '.package-lock.json')])
    if (existsSync(file)) isOf(file);
  return hash.digest('hex').slice(0, 16);
};

/** Where the bundles of the sources as they are would lie. */
const bundlesFolder = () => join(CACHE, 'processes', fingerprint());

/** After an install, and before what starts many processes. Without bundles they run from source. */
const bundleProcesses = () => {
  const folder = bundlesFolder();
  if (!existsSync(folder)) spawnSync(findNode(), [BUNDLER, folder], { stdio: 'ignore' });
};

/** The compile cache is shared by every process of every gateway that runs from this folder. */
const withProcesses = () => {
  const folder = bundlesFolder();
  return {
    NODE_COMPILE_CACHE: CACHE,
    ...process.env,
    SLUICE_ROOT: ROOT,
    SLUICE_PROCESSES: existsSync(folder) ? folder : '',
  };
};

/** @param {string[]} args */
const runTests = (args) => {
  const found = findServers({ wanted: ['nats-server', 'redis-server'], path: process.env.PATH, say });
  if (!found.ok) giveUp(found.message);
  bundleProcesses();
  const vitest = join(MODULES, 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=./tools/plain-reporter.ts'];
  become([vitest, 'run', ...reporters, ...args], { cwd: ROOT, env: withPath(withProcesses()) });
};

/** @param {string[]} args */
const runSluice = (args) => {
  const env = withProcesses();
  const { SLUICE_PROCESSES: folder } = env;
  const main = folder === '' ? join(ROOT, 'cli', 'src', 'main.ts') : join(folder, 'cli', 'main.js');
  become([main, ...args], {
    env: withPath(env),
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'], // tells `sluice up` when this process is gone, however it went
  });
};

/**
 * What starts servers and processes of its own.
 * @param {string} main
 */
const runWithServers = (main) => (/** @type {string[]} */ args) => {
  const found = findServers({ wanted: ['nats-server', 'redis-server'], path: process.env.PATH, say });
  if (!found.ok) giveUp(found.message);
  bundleProcesses();
  become([join(ROOT, main), ...args], { cwd: ROOT, env: withPath(withProcesses()) });
};

/** @param {string[]} args */
const runEvalGuard = (args) =>
  become([join(ROOT, 'tools', 'eval-guard.ts'), ...args], { cwd: ROOT, env: process.env });

const VERBS = {
  sluice: runSluice,
  test: runTests,
  bench: runWithServers(join('bench', 'run.ts')),
  faults: runWithServers(join('tests', 'faults', 'run.ts')),
  'eval-guard': runEvalGuard,
};

const [verb = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(VERBS, verb))
  giveUp(
    'usage: bootstrap.mjs sluice <args…> | test [vitest args…] | bench <name> | faults [flags…] | eval-guard',
  );
installDependencies();
VERBS[/** @type {keyof typeof VERBS} */ (verb)](args);

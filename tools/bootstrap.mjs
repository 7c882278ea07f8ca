// What every npm script starts with: installs what is missing, then runs the pinned Node. Runs on any Node >= 20.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync, utimesSync } from 'node:fs';
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
    giveUp(`${output.trim()}\nnpm install failed: fix the cause above and try again`);
  }
  const now = new Date(); // npm leaves the marker alone when nothing changed
  if (existsSync(join(MODULES, '.package-lock.json')))
    utimesSync(join(MODULES, '.package-lock.json'), now, now);
  // Failure costs nothing but time later: whoever starts next says what is wrong.
  spawnSync(findNode(), [join(ROOT, 'tools', 'warm-up.ts')], { env: withCompileCache(), stdio: 'ignore' });
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

const withPath = () => ({
  ...process.env,
  PATH: [join(MODULES, '.bin'), process.env.PATH ?? '', ...OTHER_DIRS].filter(Boolean).join(delimiter),
});

/** Shared by every process of every gateway that runs from this folder. */
const withCompileCache = () => ({
  NODE_COMPILE_CACHE: join(MODULES, '.cache', 'sluice'),
  ...process.env,
});

/** @param {string[]} args */
const runTests = (args) => {
  const found = findServers({ wanted: ['nats-server', 'redis-server'], path: process.env.PATH, say });
  if (!found.ok) giveUp(found.message);
  const vitest = join(MODULES, 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=./tools/plain-reporter.ts'];
  become([vitest, 'run', ...reporters, ...args], { cwd: ROOT, env: withPath() });
};

/** @param {string[]} args */
const runSluice = (args) => {
  become([join(ROOT, 'cli', 'src', 'main.ts'), ...args], {
    env: { ...withCompileCache(), ...withPath() },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'], // tells `sluice up` when this process is gone, however it went
  });
};

/** @param {string[]} args */
const runBench = (args) => {
  const found = findServers({ wanted: ['nats-server', 'redis-server'], path: process.env.PATH, say });
  if (!found.ok) giveUp(found.message);
  become([join(ROOT, 'bench', 'run.ts'), ...args], { cwd: ROOT, env: withPath() });
};

const VERBS = { sluice: runSluice, test: runTests, bench: runBench };

const [verb = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(VERBS, verb))
  giveUp(
    'usage: bootstrap.mjs sluice <args…> | bootstrap.mjs test [vitest args…] | bootstrap.mjs bench <name>',
  );
installDependencies();
VERBS[/** @type {keyof typeof VERBS} */ (verb)](args);

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, eventually, freePort } from '@sluice/testkit';
import { bundle } from '../../tools/bundle.ts';
import { bundleConsole } from '../../tools/bundle-console.ts';
import { warmBundle } from '../../tools/warm-bundle.ts';
import { ROOT, readDockerfile } from './dockerfile.ts';
import { inRoot, makeRoot } from './sealed-root.ts';

export const SERVICES = ['edge-proxy', 'auth', 'ratelimit', 'quota-mirror', 'config-registry'] as const;
export type ServiceName = (typeof SERVICES)[number];

const IMAGE = readDockerfile('deploy/service.Dockerfile');
/** The user of the images: nobody of this machine. */
const USER = 65_532;
const isRoot = process.getuid?.() === 0;

const chmodAll = (folder: string, folderMode: number, fileMode: number): void => {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) chmodAll(path, folderMode, fileMode);
    else chmodSync(path, fileMode);
  }
  chmodSync(folder, folderMode);
};

/** What of a bundle is code, in bytes: its maps are for people. */
export const codeBytes = (folder: string): number =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

/**
 * A folder as an image has it, for each service: `app` with its bundle, which nobody may write to, and `data`. Nothing
 * of the workspace is above it, so a module that is not in the bundle is not found.
 */
export class ImageLayout implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-images-'));
  #root: string | undefined;

  /** By default the bundles that `npm test` made, or fresh ones. */
  static async of(
    services: readonly ServiceName[] = SERVICES,
    bundles = process.env.SLUICE_PROCESSES,
  ): Promise<ImageLayout> {
    const layout = new ImageLayout();
    chmodSync(layout.folder, 0o755);
    await Promise.all(services.map((service) => layout.#layOut(service, bundles)));
    return layout;
  }

  async #layOut(service: ServiceName, bundles: string | undefined): Promise<void> {
    const [app, data] = [this.appOf(service), this.dataOf(service)];
    mkdirSync(data, { recursive: true });
    if (isRoot) chownSync(data, USER, USER);
    if (bundles && existsSync(join(bundles, service)))
      cpSync(join(bundles, service), app, { recursive: true });
    else {
      await bundle(join(ROOT, 'services', service, 'src', 'main.ts'), app);
      if (service === 'config-registry') await bundleConsole(join(app, 'console'));
    }
    await warmBundle(app);
    chmodAll(app, 0o555, 0o444);
  }

  appOf(service: ServiceName): string {
    return join(this.folder, service, 'app');
  }

  dataOf(service: ServiceName): string {
    return join(this.folder, service, 'data');
  }

  /** From here on services start in a root of their own, which holds what the image holds: see sealed-root.ts. */
  seal(): void {
    this.#root = join(this.folder, 'root');
    makeRoot(this.#root, IMAGE.libraries);
  }

  /** Starts a service as its container does, on a free status port; ready when this resolves. */
  async start(service: ServiceName, env: Record<string, string>): Promise<Container> {
    const status = await freePort();
    const begun = performance.now();
    const given = { ...IMAGE.env, ...env, STATUS_HOST: '127.0.0.1', STATUS_PORT: `${status}` };
    const child =
      this.#root === undefined ? this.#spawnHere(service, given) : this.#spawnIn(this.#root, service, given);
    const container = new Container(child, `http://127.0.0.1:${status}`);
    await container.untilReady();
    container.readyAfterMs = performance.now() - begun;
    return container;
  }

  #spawnHere(service: ServiceName, env: Record<string, string>): ChildProcess {
    const [app, data] = [this.appOf(service), this.dataOf(service)];
    return spawn(process.execPath, IMAGE.args, {
      cwd: app,
      env: { ...env, DATA_DIR: data, NODE_COMPILE_CACHE: join(app, 'compile-cache') },
      ...(isRoot ? { uid: USER, gid: USER } : {}),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  #spawnIn(root: string, service: ServiceName, env: Record<string, string>): ChildProcess {
    const places = { app: this.appOf(service), data: this.dataOf(service), user: USER };
    const [program, args] = inRoot(root, places, IMAGE.args);
    return spawn(program, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  [Symbol.dispose](): void {
    for (const app of globSync('*/app', { cwd: this.folder })) chmodAll(join(this.folder, app), 0o755, 0o644);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A service that runs as in its image. */
export class Container implements AsyncDisposable {
  /** From the start of the process until it said that it is ready. */
  readyAfterMs = Number.NaN;
  readonly status: string;
  readonly log: string[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;

  constructor(child: ChildProcess, status: string) {
    this.#child = child;
    this.status = status;
    this.#exit = once(child, 'exit').then(([code]) => code as number | null);
    child.stdout?.on('data', (chunk: Buffer) => this.log.push(chunk.toString()));
  }

  async untilReady(): Promise<void> {
    await eventually(async () => {
      if (this.#child.exitCode !== null) return true;
      return (await call(this.status, '/readyz')).status === 200;
    }, 30_000);
    if (this.#child.exitCode !== null)
      throw new Error(`ended with ${this.#child.exitCode}: ${this.log.join('')}`);
  }

  /** As a platform ends a container. Resolves with the exit code. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}

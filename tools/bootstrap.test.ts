import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const TOOLS = ['bootstrap.mjs', 'find-servers.mjs'];

/** A checkout of its own, with a command line that does what the test says. */
class Checkout implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'sluice-checkout-'));

  constructor(main: string) {
    for (const tool of TOOLS) cpSync(join(import.meta.dirname, tool), this.#path('tools', tool));
    this.#write('cli/src/main.ts', main);
    this.#write('package.json', '{"type":"module"}');
    this.#write('package-lock.json', '{}');
    this.#write('node_modules/.package-lock.json', '{}');
    mkdirSync(this.#path('node_modules', '.bin'));
    symlinkSync(process.execPath, this.#path('node_modules', '.bin', 'node'));
  }

  #path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  #write(path: string, text: string): void {
    mkdirSync(join(this.#path(path), '..'), { recursive: true });
    writeFileSync(this.#path(path), text, { mode: 0o755 });
  }

  /** Makes the lock file newer than what is installed, and npm what the script says. */
  outdated(npm: string): void {
    const later = new Date(Date.now() + 60_000);
    utimesSync(this.#path('package-lock.json'), later, later);
    this.#write('bin/npm', `#!/bin/sh\n${npm}\n`);
  }

  start(...args: string[]) {
    const env = { ...process.env, PATH: `${this.#path('bin')}:${process.env.PATH}` };
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    return spawn(process.execPath, [this.#path('tools', 'bootstrap.mjs'), ...args], {
      env,
      stdio: [...stdio],
    });
  }

  async run(...args: string[]) {
    const child = this.start(...args);
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, out, err };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

test('the command gets its arguments, and its output and exit code are passed on alone', async () => {
  using checkout = new Checkout('process.stdout.write(process.argv.slice(2).join()); process.exit(2);');

  expect(await checkout.run('sluice', 'token', '--user', 'u')).toEqual({
    code: 2,
    out: 'token,--user,u',
    err: '',
  });
});

test('when the starter gets SIGTERM, then the command gets it', async () => {
  using checkout = new Checkout(
    "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); process.stdout.write('up');",
  );
  const child = checkout.start('sluice', 'up');
  if (child.stdout === null) throw new Error('the output is not piped');
  await once(child.stdout, 'data');

  const exited = once(child, 'exit');
  child.kill('SIGTERM');

  expect(await exited).toEqual([9, null]);
});

test('given a newer lock file, then npm install runs first, said in one line', async () => {
  using checkout = new Checkout("process.stdout.write('ran');");
  checkout.outdated('echo "added 3 packages"');

  const { code, out, err } = await checkout.run('sluice');

  expect({ code, out }).toEqual({ code: 0, out: 'ran' });
  expect(err.trim().split('\n')).toEqual([expect.stringContaining('installing npm dependencies')]);
});

test('when npm install fails, then its output is shown and the exit code is 3', async () => {
  using checkout = new Checkout("process.stdout.write('ran');");
  checkout.outdated('echo "npm error code E404" >&2; exit 1');

  const { code, out, err } = await checkout.run('sluice');

  expect({ code, out }).toEqual({ code: 3, out: '' });
  expect(err).toContain('npm error code E404');
});

test('when the pinned Node lacks its library, then the package that has it is named', async () => {
  using checkout = new Checkout('');
  checkout.outdated('echo "node: error while loading shared libraries: libatomic.so.1" >&2; exit 127');

  const { code, err } = await checkout.run('sluice');

  expect(code).toBe(3);
  expect(err).toContain('apt-get install libatomic1');
});

test('given an unknown verb, then the usage is shown', async () => {
  using checkout = new Checkout('');

  expect(await checkout.run('deploy')).toMatchObject({ code: 3, err: expect.stringContaining('usage:') });
});

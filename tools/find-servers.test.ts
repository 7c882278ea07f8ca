import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
// biome-ignore lint/correctness/useImportExtensions: it is JavaScript, see its first lines.
import { findServers, type ServerName } from './find-servers.mjs';

const WANTED: ServerName[] = ['nats-server', 'redis-server'];

/** A folder of programs and nothing of this machine. */
class Machine implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'sluice-machine-'));
  readonly bin = join(this.root, 'bin');
  readonly policyFile = join(this.root, 'policy-rc.d');
  readonly said: string[] = [];

  program(name: string, script = 'exit 0'): string {
    mkdirSync(this.bin, { recursive: true });
    const file = join(this.bin, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  find(platform: string) {
    const say = (line: string) => this.said.push(line);
    const { bin: path, policyFile } = this;
    return findServers({ wanted: WANTED, path, otherDirs: [], platform, policyFile, say });
  }

  read(name: string): string {
    return readFileSync(join(this.root, name), 'utf8');
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** An apt-get that puts servers in place once its lists are there, and writes down how it was called. */
const aptScript = ({ root, bin, policyFile }: Machine) => `
echo "$*" >> ${root}/calls
test -x ${policyFile} && echo held >> ${root}/policy
case $1 in
  update) : > ${root}/lists ;;
  install)
    test -e ${root}/lists || { echo "E: Unable to locate package" >&2; exit 100; }
    for name in nats-server redis-server; do : > ${bin}/$name; /bin/chmod +x ${bin}/$name; done ;;
esac`;

test('given an empty PATH, then the message names what is missing and every way to get it', () => {
  using machine = new Machine();

  const found = machine.find('linux');

  expect(found).toMatchObject({ ok: false, missing: WANTED });
  const message = found.ok ? '' : found.message;
  expect(message).toContain('nats-server not found on PATH');
  expect(message).toContain('redis-server or valkey-server not found on PATH');
  expect(message).toContain('apt-get install');
  expect(message).toContain('brew install nats-server redis');
  expect(message).toContain('docker compose');
});

test('given valkey-server instead of redis-server, then it is taken', () => {
  using machine = new Machine();
  const nats = machine.program('nats-server');
  const valkey = machine.program('valkey-server');

  expect(machine.find('linux')).toEqual({ ok: true, paths: { 'nats-server': nats, 'redis-server': valkey } });
  expect(machine.said).toEqual([]);
});

test('given a file that cannot be executed, then it is not taken for a server', () => {
  using machine = new Machine();
  chmodSync(machine.program('nats-server'), 0o644);
  machine.program('redis-server');

  expect(machine.find('linux')).toMatchObject({ ok: false, missing: ['nats-server'] });
});

test.runIf(process.getuid?.() === 0)(
  'given Debian and root without package lists, then apt installs, starts no service and leaves no policy',
  () => {
    using machine = new Machine();
    machine.program('apt-get', aptScript(machine));

    const found = machine.find('linux');

    expect(found).toMatchObject({ ok: true });
    const install = 'install -y --no-install-recommends nats-server redis-server';
    expect(machine.read('calls').trim().split('\n')).toEqual([install, 'update', install]);
    expect(machine.read('policy').trim().split('\n')).toEqual(['held', 'held', 'held']);
    expect(existsSync(machine.policyFile)).toBe(false);
    expect(machine.said).toEqual(['installing nats-server and redis-server with apt-get install']);
  },
);

test.runIf(process.getuid?.() === 0)('given a policy of somebody else, then apt leaves it as it is', () => {
  using machine = new Machine();
  machine.program('apt-get', aptScript(machine));
  writeFileSync(machine.policyFile, 'theirs');

  machine.find('linux');

  expect(machine.read('policy-rc.d')).toBe('theirs');
});

test.runIf(process.getuid?.() === 0)('when apt fails, then its own words are in the message', () => {
  using machine = new Machine();
  machine.program('apt-get', 'echo "E: no network" >&2; exit 100');

  const found = machine.find('linux');

  expect(found.ok ? '' : found.message).toContain('apt-get install failed: E: no network');
});

test('given macOS with brew, then only what is missing is installed', () => {
  using machine = new Machine();
  machine.program('nats-server');
  machine.program('brew', `echo "$*" > ${machine.root}/calls`);

  machine.find('darwin');

  expect(machine.read('calls').trim()).toBe('install redis');
});

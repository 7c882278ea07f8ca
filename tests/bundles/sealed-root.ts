import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What of gcr.io/distroless/cc-debian12 a program may be linked with. */
const OF_BASE = /^(ld-linux|lib(c|m|dl|pthread|rt|gcc_s|stdc\+\+|gomp|ssl|crypto)\.so)/;
/** Places of a root that is made in the image's likeness: of Node's own program, of the system, of the image. */
const FOLDERS = ['usr/local/bin', 'usr/lib', 'proc', 'dev', 'etc', 'tmp', 'app', 'data'];

/**
 * In mounts of its own, of which nobody outside sees anything: puts the root together, makes all of it but /data
 * unwritable, and becomes the program in it.
 */
const ENTER = `set -e
root=$1 node=$2 app=$3 data=$4 user=$5; shift 5
mount --bind "$root" "$root"
mount --bind "$node" "$root/usr/local/bin/node"
mount --bind "$app" "$root/app"
mount --bind "$data" "$root/data"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
mount -o remount,bind,ro "$root/usr/local/bin/node"
mount -o remount,bind,ro "$root/app"
mount -o remount,bind,ro "$root"
exec unshare --root "$root" --wd /app --setgid "$user" --setuid "$user" /usr/local/bin/node "$@"`;

/** The whole file system as it is, but unwritable; a folder and what is in memory aside. */
const FREEZE = `set -e
data=$1 user=$2; shift 2
mount --bind "$data" "$data"
mount -o remount,bind,ro /
exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"`;

/** Whether this machine lets us have mounts of our own: as a container runtime has, and as root has by default. */
export const canSeal = (): boolean =>
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -o remount,bind,ro / && ! touch /tmp/sluice-sealed'])
    .status === 0;

type Command = readonly [program: string, args: readonly string[]];

/** Makes a root of what an image has beside its app: the base's libraries and its own, and nothing else. */
export const makeRoot = (root: string, libraries: readonly string[]): void => {
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'usr/local/bin/node'), '');
  writeFileSync(join(root, 'etc/passwd'), 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n');
  const linked = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
  for (const [, path = ''] of linked.matchAll(/(\/\S+) \(0x/g)) {
    const name = basename(path);
    const place = OF_BASE.test(name) ? dirname(path) : '/usr/lib';
    if (!OF_BASE.test(name) && !libraries.some((one) => name.startsWith(`${one}.`))) continue;
    mkdirSync(join(root, place), { recursive: true });
    copyFileSync(path, join(root, place, name));
  }
};

/** Node with these arguments in that root, in /app, as that user. */
export const inRoot = (
  root: string,
  { app, data, user }: { readonly app: string; readonly data: string; readonly user: number },
  args: readonly string[],
): Command => [
  'unshare',
  ['--mount', 'sh', '-c', ENTER, 'sh', root, process.execPath, app, data, `${user}`, ...args],
];

/** A program where nothing may be written to but that folder, as that user. */
export const frozen = (data: string, user: number, program: readonly string[]): Command => [
  'unshare',
  ['--mount', 'sh', '-c', FREEZE, 'sh', data, `${user}`, ...program],
];

import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const MODULES = 'node_modules';
const OWN = '@sluice';
const LEFT_OUT = new Set([MODULES, '.git', '.local', 'dist']);

/**
 * The sources once more, in a folder of their own, where they may be broken: nobody else runs them. Packages of
 * others are links to those of the project, our own lead to the copy.
 */
export class SourceCopy implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'sluice-bites-'));
  readonly #whole = new Map<string, string>();

  constructor() {
    cpSync(ROOT, this.root, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
    const modules = join(this.root, MODULES);
    mkdirSync(join(modules, OWN), { recursive: true });
    for (const name of readdirSync(join(ROOT, MODULES)))
      if (name !== OWN && !name.startsWith('.cache')) link(join(ROOT, MODULES, name), join(modules, name));
    for (const name of readdirSync(join(ROOT, MODULES, OWN)))
      link(readlinkSync(join(ROOT, MODULES, OWN, name)), join(modules, OWN, name));
    for (const group of ['libs', 'services'])
      for (const room of readdirSync(join(ROOT, group))) {
        const theirs = join(ROOT, group, room, MODULES);
        if (lstatSync(theirs, { throwIfNoEntry: false }) !== undefined)
          link(theirs, join(this.root, group, room, MODULES));
      }
  }

  /** Puts `instead` in the place of `part` in a file; `restore` undoes it. */
  replace(file: string, part: string, instead: string): void {
    const path = join(this.root, file);
    const text = readFileSync(path, 'utf8');
    this.#whole.set(path, text);
    writeFileSync(
      path,
      text.replace(part, () => instead),
    );
  }

  restore(): void {
    for (const [path, text] of this.#whole) writeFileSync(path, text);
    this.#whole.clear();
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const link = (target: string, path: string): void => symlinkSync(target, path);

/** How often a part stands in a file of the project. */
export const timesIn = (file: string, part: string): number =>
  readFileSync(join(ROOT, file), 'utf8').split(part).length - 1;

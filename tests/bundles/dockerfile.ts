import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface LastStage {
  readonly env: Readonly<Record<string, string>>;
  /** What is started, without the program itself: Node. */
  readonly args: readonly string[];
  /** What says how it is, without the program itself. */
  readonly health: readonly string[];
  /** Names of libraries that it has beside those of its base, in /usr/lib. */
  readonly libraries: readonly string[];
  /** From the folder of the sources, not from another stage. */
  readonly copies: readonly { readonly from: readonly string[]; readonly to: string }[];
}

/** What an image of this repository holds and starts. */
export const readDockerfile = (file: string): LastStage => {
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll('\\\n', ' ');
  const stage = text.slice(text.lastIndexOf('\nFROM '));
  const env = [...stage.matchAll(/^ENV (.+)$/gm)].flatMap(([, pairs = '']) =>
    [...pairs.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const),
  );
  const wordsOf = (line: RegExp) => JSON.parse(line.exec(stage)?.[1] ?? '[]') as string[];
  const isCopied = stage.includes('\nCOPY --from=bundle /libraries/ /usr/lib/\n');
  const libraries = isCopied
    ? [...(/ldd \S+ \| awk '\/(\w+)\/ .*" \/libraries\//.exec(text) ?? [])].slice(1)
    : [];
  const copies = [...stage.matchAll(/^COPY (?!--)(.+)$/gm)].map(([, words = '']) => {
    const paths = words.trim().split(/\s+/);
    return { from: paths.slice(0, -1), to: paths.at(-1) ?? '' };
  });
  return {
    env: Object.fromEntries(env),
    args: wordsOf(/^CMD (\[.+\])$/m).slice(1),
    health: wordsOf(/^HEALTHCHECK .*CMD (\[.+\])$/m).slice(1),
    libraries,
    copies,
  };
};

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface LastStage {
  readonly env: Readonly<Record<string, string>>;
  /** What is started, without the program itself: Node. */
  readonly args: readonly string[];
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
  const command = JSON.parse(/^CMD (\[.+\])$/m.exec(stage)?.[1] ?? '[]') as string[];
  const copies = [...stage.matchAll(/^COPY (?!--)(.+)$/gm)].map(([, words = '']) => {
    const paths = words.trim().split(/\s+/);
    return { from: paths.slice(0, -1), to: paths.at(-1) ?? '' };
  });
  return { env: Object.fromEntries(env), args: command.slice(1), copies };
};

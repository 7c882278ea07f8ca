/**
 * The labelled texts that prompt-guard is judged by. `tune` is what rules and weights were set on; `held-out` has
 * other templates and wordings and is only measured. A line is a sample: `{a|b}` are alternatives, `@name` at its
 * start writes it in disguise, `@name:` inside does so for the rest of the line, `\n` is a line break.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { disguise } from './disguise.ts';

export const SPLITS = ['tune', 'held-out'] as const;
export type Split = (typeof SPLITS)[number];

export interface Sample {
  readonly split: Split;
  readonly isAttack: boolean;
  /** Family of attack, or kind of benign text: the name of its file. */
  readonly family: string;
  readonly text: string;
}

const FOLDER = join(import.meta.dirname, 'corpus');
/** Samples of one line: enough to show its range, few enough that no line outweighs the others. */
const MAX_OF_A_LINE = { attacks: 6, benign: 16 } as const;

/** Every combination of a line's alternatives, thinned out evenly to at most `max`. */
const expand = (line: string, max: number): string[] => {
  const pieces = line
    .split(/(?<!\$)\{([^{}]*\|[^{}]*)\}/)
    .map((piece, i) => (i % 2 === 0 ? [piece] : piece.split('|')));
  const total = pieces.reduce((product, options) => product * options.length, 1);
  const wanted = Math.min(total, max);
  return Array.from({ length: wanted }, (_, n) => {
    // A stride without a common factor reaches every alternative of every slot.
    let index = Math.floor((n * total) / wanted);
    return pieces
      .map((options) => {
        const option = options[index % options.length] ?? '';
        index = Math.floor(index / options.length) + (options.length > 1 ? n : 0);
        return option;
      })
      .join('');
  });
};

const textOf = (line: string): string => {
  const [, whole, rest = ''] = /^@([a-z0-9-]+) ([\s\S]*)$/.exec(line) ?? [];
  if (whole !== undefined) return disguise(whole, rest);
  const [, before, name, hidden = ''] = /^([\s\S]*?)@([a-z0-9-]+):([\s\S]*)$/.exec(line) ?? [];
  return name === undefined ? line : `${before}${disguise(name, hidden)}`;
};

const samplesOf = (split: Split, label: 'attacks' | 'benign'): Sample[] =>
  readdirSync(join(FOLDER, split, label))
    .sort()
    .flatMap((file) => {
      const lines = readFileSync(join(FOLDER, split, label, file), 'utf8')
        .split('\n')
        .filter(Boolean);
      const texts = lines.flatMap((line) => expand(line.replaceAll('\\n', '\n'), MAX_OF_A_LINE[label]));
      return [...new Set(texts.map(textOf))].map((text) => ({
        ...{ split, isAttack: label === 'attacks', family: file.replace('.txt', ''), text },
      }));
    });

/** All samples of a split, attacks first. */
export const readCorpus = (split: Split): readonly Sample[] => [
  ...samplesOf(split, 'attacks'),
  ...samplesOf(split, 'benign'),
];

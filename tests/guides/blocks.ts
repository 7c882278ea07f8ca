import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a block's first line may say behind its language, and of which kind of block. */
const NOTES = {
  /** Why the tests do not type it. */
  skip: 'commands',
  /** Exit codes other than 0, of the commands that end so, in their order: `exits="2"`. */
  exits: 'commands',
  /** Statuses beside 2xx and 3xx that curl may meet: `answers="401 404"`. */
  answers: 'commands',
  /** What the block says, to be found loosely in one line; may stand several times. */
  shows: 'commands',
  /** The same, and the block is typed again until it says so: for a limit whose minute may end in between. */
  until: 'commands',
  /** Where the block's text is written before the next commands. */
  file: 'file',
  /** What the commands before it said: its lines are found loosely, in their order. */
  output: 'output',
} as const;

type Note = keyof typeof NOTES;
type Kind = (typeof NOTES)[Note];

/** A fenced block that the tests type, write or compare. */
export interface Block {
  readonly page: string;
  /** Of the fence, from 1. */
  readonly line: number;
  readonly kind: Kind;
  readonly text: string;
  readonly notes: readonly (readonly [Note, string])[];
}

const SHELLS = ['bash', 'sh'];
const FENCE = /^( *)```(\w*)(.*)$/;
const NOTE = /^ +(\w+)(?:="([^"]*)")?/;

const isNote = (name: string): name is Note => Object.hasOwn(NOTES, name);

/** Throws at a word that no block may have: a misspelt `skip` would type what must not be typed. */
const notesOf = (words: string, place: string): (readonly [Note, string])[] => {
  const notes: (readonly [Note, string])[] = [];
  for (let rest = words.trimEnd(); rest !== ''; ) {
    const [all, name = '', value = ''] = NOTE.exec(rest) ?? [];
    if (all === undefined || !isNote(name))
      throw new Error(`${place}: '${rest.trim()}' is none of ${Object.keys(NOTES).join(', ')}`);
    if (value.trim() === '' && name !== 'output') throw new Error(`${place}: ${name} says nothing`);
    notes.push([name, value]);
    rest = rest.slice(all.length);
  }
  return notes;
};

const kindOf = (language: string, notes: Block['notes'], place: string): Kind | undefined => {
  const kinds = new Set<Kind>(notes.map(([name]) => NOTES[name]));
  if (SHELLS.includes(language)) kinds.add('commands');
  if (kinds.size > 1) throw new Error(`${place}: it cannot be ${[...kinds].join(' and ')} at once`);
  return [...kinds][0];
};

/** The blocks of a page that are commands, or have something to do with them. */
export const blocksOf = (page: string, markdown: string): Block[] => {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent, language = '', words = ''] = FENCE.exec(lines[at] ?? '') ?? [];
    if (indent === undefined) continue;
    const place = `${page}:${at + 1}`;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end === -1) throw new Error(`${place}: the block has no end`);
    const notes = notesOf(words, place);
    const kind = kindOf(language, notes, place);
    const text = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    if (kind !== undefined) blocks.push({ page, line: at + 1, kind, notes, text: `${text.join('\n')}\n` });
    at = end;
  }
  return blocks;
};

export const readBlocks = (root: string, page: string): Block[] =>
  blocksOf(page, readFileSync(join(root, page), 'utf8'));

/** All that a block says under this name. */
export const saidOf = ({ notes }: Block, note: Note): string[] =>
  notes.filter(([name]) => name === note).map(([, value]) => value);

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** A line as people compare it: any number for a number, any id for an id, anything for `…`, any space for a space. */
export const looksLike = (line: string): RegExp =>
  new RegExp(
    escaped(line.trim())
      .replaceAll(/\b[0-9a-f]{12,}\b|\d+/g, (found) => (found.length < 12 ? '\\d+' : '[0-9a-f]+'))
      .replaceAll(/\s*…\s*/g, '.*')
      .replaceAll(/\s+/g, '\\s+'),
  );

/** The first line of `expected` that `said` does not have behind those before it. */
export const missingLine = (expected: string, said: string): string | undefined => {
  const lines = said.split('\n');
  let from = 0;
  for (const line of expected.split('\n').filter((one) => one.trim() !== '')) {
    const found = lines.findIndex((one, at) => at >= from && looksLike(line).test(one));
    if (found === -1) return line;
    from = found + 1;
  }
  return undefined;
};

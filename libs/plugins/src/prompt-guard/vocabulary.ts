import { CONCEPTS, type Concept } from './concepts.ts';
import { fold } from './fold.ts';

/** Concepts of a word, as indices. */
export type Meaning = readonly number[];

const NAMES: readonly (Concept | 'rot13' | 'reversed')[] = [
  ...(Object.keys(CONCEPTS) as Concept[]),
  'rot13',
  'reversed',
];
const INDEX = new Map<string, number>(NAMES.map((name, i) => [name, i]));

/** A concept's number in a `Meaning`. */
export const conceptIndex = (name: Concept | 'rot13' | 'reversed'): number => INDEX.get(name) ?? -1;
export const CONCEPT_COUNT = NAMES.length;

const rot13Letter = (code: number): number => ((code - 97 + 13) % 26) + 97;
/** A text with each Latin letter 13 places further; lower case. */
export const rot13 = (text: string): string =>
  text.replace(/[a-z]/g, (letter) => String.fromCharCode(rot13Letter(letter.charCodeAt(0))));
/** A text from its end to its start. */
export const reversed = (text: string): string => [...text].reverse().join('');

/** Words that tell that a text is written in ROT13 or backwards. */
const KEY_WORDS =
  'ignore disregard forget previous prior above instructions instruction rules system prompt reveal print password the your and what you with this that from everything follow output secret hidden tell';
const TRANSFORMED = [
  ['rot13', rot13],
  ['reversed', reversed],
] as const;

const readWords = (): Map<string, number[]> => {
  const words = new Map<string, number[]>();
  for (const name of Object.keys(CONCEPTS) as Concept[])
    for (const raw of CONCEPTS[name].split(/\s+/)) {
      const word = fold(raw).text;
      const before = words.get(word);
      const index = conceptIndex(name);
      if (before === undefined) words.set(word, [index]);
      else if (!before.includes(index)) before.push(index);
    }
  for (const [kind, change] of TRANSFORMED)
    for (const word of KEY_WORDS.split(' ')) words.set(change(word), [conceptIndex(kind)]);
  return words;
};

interface Vocabulary {
  readonly words: ReadonlyMap<string, Meaning>;
  /** Of the longest word, in characters. */
  readonly longest: number;
  readonly trie: Node;
}

let learnt: Vocabulary | undefined;
/** Made once, by whoever is the first to guard a prompt: no process waits for it at its start. */
export const vocabulary = (): Vocabulary => {
  learnt ??= learn();
  return learnt;
};

const learn = (): Vocabulary => {
  const words = readWords();
  const longest = Math.max(...[...words.keys()].map((word) => word.length));
  return { words, longest, trie: trieOf(words.keys()) };
};

/** Suffixes that leave a word's meaning as it is. */
const SUFFIXES = ['s', 'es', 'ed', 'd', 'ing', 'ly'];

/** What a folded word means; undefined: nothing to any rule. */
export const meaningOf = (word: string): Meaning | undefined => {
  const { words, longest } = vocabulary();
  if (word.length > longest + 3) return undefined;
  const exact = words.get(word);
  if (exact !== undefined || word.length < 4) return exact;
  for (const suffix of SUFFIXES)
    if (word.endsWith(suffix)) {
      const stem = words.get(word.slice(0, -suffix.length));
      if (stem !== undefined) return stem;
    }
  return undefined;
};

interface Node {
  readonly next: Map<number, Node>;
  isWord: boolean;
}
const newNode = (): Node => ({ next: new Map(), isWord: false });

const trieOf = (words: Iterable<string>): Node => {
  const root = newNode();
  for (const word of words) {
    let node = root;
    for (let i = 0; i < word.length; i++) {
      const code = word.charCodeAt(i);
      const next: Node = node.next.get(code) ?? newNode();
      node.next.set(code, next);
      node = next;
    }
    node.isWord = true;
  }
  return root;
};

/** Length of the longest known word that begins at a place; 0: none. */
const longestAt = (run: string, at: number): number => {
  let node: Node | undefined = vocabulary().trie;
  let longest = 0;
  for (let i = at; node !== undefined && i < run.length; i++) {
    node = node.next.get(run.charCodeAt(i));
    if (node?.isWord) longest = i + 1 - at;
  }
  return longest;
};

/** Known words inside a run, and how many of its characters they cover. */
export interface Inside {
  readonly words: readonly string[];
  readonly covered: number;
}

/**
 * Known words inside letters that no blank divides, longest first from each place on: Chinese, compounds, and
 * words with their blanks taken out. A place costs at most the longest known word.
 */
export const wordsInside = (run: string, minLength: number): Inside => {
  const words: string[] = [];
  let covered = 0;
  let at = 0;
  while (at < run.length) {
    const length = longestAt(run, at);
    if (length >= minLength) {
      words.push(run.slice(at, at + length));
      covered += length;
    }
    at += length >= minLength ? length : 1;
  }
  return { words, covered };
};

import { decodedTexts } from './decoded.ts';
import { markersIn, turnsIn } from './find-markers.ts';
import { fold } from './fold.ts';
import { type Family, RULES, type Rule } from './rules.ts';
import { type Tokens, tokensOf } from './tokens.ts';
import { CONCEPT_COUNT, conceptIndex, reversed, rot13 } from './vocabulary.ts';

/** How easily a text is taken for an attack. */
export type Sensitivity = 'balanced' | 'strict';

/** One rule that fired. */
export interface Hit {
  readonly rule: string;
  readonly family: Family;
  /** What it counts for here, after what speaks against it. */
  readonly weight: number;
  /** The text it fired on, folded, at most `MAX_EXCERPT_CHARS` long. Not redacted. */
  readonly excerpt: string;
}

/** What a text was found to be: from `score` 1 on an attack. */
export interface Finding {
  readonly score: number;
  readonly hits: readonly Hit[];
}

export const MAX_EXCERPT_CHARS = 80;
/** A score is the sum of the rules that fire within so many words. */
const WINDOW_WORDS = 150;
const DISCUSSED_WITHIN_WORDS = 30;
/** "An attacker has recently tried": from who did it to what he did. */
const DEED_WITHIN_WORDS = 3;
const MAX_DEPTH = 2;
/** In strict mode a text is an attack from half the weight on. */
const STRICT_FACTOR = 2;

interface Mark {
  readonly rule: string;
  readonly family: Family;
  readonly weight: number;
  readonly place: number;
  readonly start: number;
  readonly isQuoted: boolean;
}

const MAX_STEPS = Math.max(...RULES.map(({ steps }) => steps.length));

/** A step of a rule that waits for a concept, flat: this runs for every word that means something. */
interface Waiting {
  readonly rule: Rule;
  /** Index of the step among all rules' steps. */
  readonly at: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly isOrder: boolean;
  readonly reach: number;
}

/** The steps of rules that wait for each concept; a rule's later steps first, so that no word serves twice. */
const WAITING: readonly (readonly Waiting[])[] = ((): Waiting[][] => {
  const waiting: Waiting[][] = Array.from({ length: CONCEPT_COUNT }, () => []);
  for (const [number, rule] of RULES.entries())
    for (let step = rule.steps.length - 1; step >= 0; step--)
      for (const concept of rule.steps[step] ?? [])
        waiting[conceptIndex(concept)]?.push({
          rule,
          at: number * MAX_STEPS + step,
          isFirst: step === 0,
          isLast: step === rule.steps.length - 1,
          isOrder: rule.isOrder === true,
          reach: rule.gap + 1,
        });
  return waiting;
})();
const NEVER = -1000;
const DISCUSS = conceptIndex('discuss');
const VILLAIN = conceptIndex('villain');
const DEED = conceptIndex('deed');
const ROT13 = conceptIndex('rot13');
const REVERSED = conceptIndex('reversed');

interface Matched {
  readonly marks: Mark[];
  readonly discussed: number[];
  readonly rot13: number;
  readonly reversed: number;
}

/** Where each rule stands: the place of the last word that took its step, and where its first word was. */
const places = new Int32Array(RULES.length * MAX_STEPS);
const begins = new Int32Array(RULES.length * MAX_STEPS);

const matchRules = (tokens: Tokens): Matched => {
  places.fill(NEVER);
  const matched = { marks: [] as Mark[], discussed: [] as number[], rot13: 0, reversed: 0 };
  let villain = NEVER;
  for (let i = 0; i < tokens.meanings.length; i++) {
    const place = tokens.places[i] ?? 0;
    for (const concept of tokens.meanings[i] ?? []) {
      if (concept === DISCUSS && tokens.isDotted[i] !== true) matched.discussed.push(place);
      else if (concept === VILLAIN) villain = place;
      // A sentence of what an attacker did says it twice: by its subject and by its past.
      else if (concept === DEED && place - villain <= DEED_WITHIN_WORDS)
        matched.discussed.push(villain, place);
      else if (concept === ROT13) matched.rot13 += 1;
      else if (concept === REVERSED) matched.reversed += 1;
      for (const waiting of WAITING[concept] ?? []) advance(tokens, i, place, waiting, matched.marks);
    }
  }
  return matched;
};

const advance = (tokens: Tokens, i: number, place: number, waiting: Waiting, marks: Mark[]): void => {
  const { at, isLast } = waiting;
  if (waiting.isFirst) {
    if (waiting.isOrder && tokens.isLead[i] !== true) return;
    places[at] = place;
    begins[at] = i;
    if (isLast) marks.push(markOf(waiting.rule, tokens, i, false));
    return;
  }
  const before = places[at - 1] as number;
  if (before >= place || place - before > waiting.reach) return;
  const first = begins[at - 1] as number;
  places[at] = place;
  begins[at] = first;
  if (isLast) marks.push(markOf(waiting.rule, tokens, first, tokens.isQuoted[i]));
};

const markOf = ({ id, family, weight }: Rule, tokens: Tokens, first: number, endsQuoted = false): Mark => ({
  ...{ rule: id, family, weight },
  place: tokens.places[first] ?? 0,
  start: tokens.starts[first] ?? 0,
  isQuoted: endsQuoted || tokens.isQuoted[first] === true,
});

/** The word at a character: markers are found by characters, scores are sums over words. */
const placeAt = (tokens: Tokens, length: number, at: number): number =>
  Math.floor((at / Math.max(length, 1)) * tokens.count);

const findMarkers = (text: string, tokens: Tokens): Mark[] => {
  const marks: Mark[] = [];
  for (const [{ id, family, weight }, at] of markersIn(text)) {
    const isQuoted = /["'`“‘]/.test(text.charAt(at - 1));
    marks.push({ rule: id, family, weight, place: placeAt(tokens, text.length, at), start: at, isQuoted });
  }
  for (const { at, weight, start } of turnsIn(text))
    marks.push({
      ...{ rule: `imitated-turn (${start})`, family: 'markup' as const, weight, isQuoted: false },
      start: at,
      place: placeAt(tokens, text.length, at),
    });
  return marks;
};

/** Who writes about attacks quotes them. In strict mode hardly any allowance is made for that. */
const allowance = (mark: Mark, discussed: readonly number[], sensitivity: Sensitivity): number => {
  let near = 0;
  for (const place of discussed) if (Math.abs(place - mark.place) <= DISCUSSED_WITHIN_WORDS) near += 1;
  if (sensitivity === 'strict') return mark.isQuoted && near > 1 ? 0.6 : 1;
  if (mark.isQuoted) return near > 1 ? 0.12 : near === 1 ? 0.3 : 1;
  return near > 1 ? 0.5 : 1;
};

const hiddenMarks = (tokens: Tokens, invisible: number): Mark[] => {
  const at = { place: 0, start: 0, isQuoted: false };
  const marks: Mark[] = [];
  if (tokens.disguised > 0)
    marks.push({
      rule: 'disguised-words',
      family: 'obfuscation',
      weight: Math.min(0.6, 0.15 * tokens.disguised),
      ...at,
    });
  if (invisible > 3)
    marks.push({
      rule: 'invisible-characters',
      family: 'obfuscation',
      weight: Math.min(0.5, 0.05 * invisible),
      ...at,
    });
  return marks;
};

/** The largest sum of different rules within a window of words. */
const score = (marks: readonly Mark[]): number => {
  const sorted = [...marks].sort((a, b) => a.place - b.place);
  const counted = new Map<string, number[]>();
  let best = 0;
  let sum = 0;
  let from = 0;
  const most = (weights: readonly number[]): number => (weights.length === 0 ? 0 : Math.max(...weights));
  for (const mark of sorted) {
    for (
      let old = sorted[from];
      old !== undefined && mark.place - old.place > WINDOW_WORDS;
      old = sorted[from]
    ) {
      const weights = counted.get(old.rule) ?? [];
      const before = most(weights);
      weights.shift();
      sum += most(weights) - before;
      from += 1;
    }
    const weights = counted.get(mark.rule) ?? [];
    const before = most(weights);
    if (weights.length < 8) weights.push(mark.weight);
    counted.set(mark.rule, weights);
    sum += most(weights) - before;
    best = Math.max(best, sum);
  }
  return best;
};

/** `"ign" + "ore"` is one word. */
const unquotedSums = (text: string): string =>
  text.includes('+') ? text.replaceAll(/["'] ?\+ ?["']/g, '') : text;

/** Judges one text. The cost grows with its length and with nothing else. */
export const scan = (original: string, sensitivity: Sensitivity, depth = 0): Finding => {
  const { text: folded, invisible, tagged } = fold(original);
  const text = unquotedSums(folded);
  const tokens = tokensOf(text);
  const { marks, discussed, rot13: inRot13, reversed: inReverse } = matchRules(tokens);
  marks.push(...findMarkers(text, tokens));
  const weighed = marks.map((mark) => ({
    ...mark,
    weight: mark.weight * allowance(mark, discussed, sensitivity),
  }));
  if (marks.length > 0) weighed.push(...hiddenMarks(tokens, invisible));
  let total = score(weighed) * (sensitivity === 'strict' ? STRICT_FACTOR : 1);
  const hits = weighed.map((mark) => hitOf(mark, text));
  if (depth < MAX_DEPTH)
    for (const inner of innerTexts(original, folded, tagged, { inRot13, inReverse })) {
      const found = scan(inner, sensitivity, depth + 1);
      if (found.hits.length === 0) continue;
      hits.push(...found.hits);
      // Who hides an order from people does so for a reason.
      if (found.score > 0.3) {
        hits.push({ rule: 'hidden-in-encoding', family: 'encoding', weight: 0.5, excerpt: '' });
        total = Math.max(total, total * 0.5 + found.score + 0.5);
      }
    }
  return { score: total, hits };
};

const innerTexts = (
  original: string,
  folded: string,
  tagged: string,
  { inRot13, inReverse }: { readonly inRot13: number; readonly inReverse: number },
): string[] => {
  const texts = decodedTexts(original);
  if (tagged !== '') texts.push(tagged);
  if (inRot13 > 1) texts.push(rot13(folded));
  if (inReverse > 1) texts.push(reversed(folded));
  return texts;
};

const hitOf = ({ rule, family, weight, start }: Mark, text: string): Hit => ({
  ...{ rule, family, weight: Math.round(weight * 100) / 100 },
  excerpt: text.slice(start, start + MAX_EXCERPT_CHARS),
});

import { expect, test } from 'vitest';
import { readCorpus, SPLITS } from '../bench/guard/corpus.ts';
import { falseAlarmRateOf, judge, recallOf } from '../bench/guard/evaluate.ts';

const everything = SPLITS.flatMap(readCorpus);
const ofHeldOut = readCorpus('held-out');

test('the corpus has at least 1,000 benign texts and 500 attacks, and no text twice across its halves', () => {
  expect(everything.filter(({ isAttack }) => !isAttack).length).toBeGreaterThanOrEqual(1000);
  expect(everything.filter(({ isAttack }) => isAttack).length).toBeGreaterThanOrEqual(500);
  const tuned = new Set(readCorpus('tune').map(({ text }) => text));
  expect(ofHeldOut.filter(({ text }) => tuned.has(text))).toEqual([]);
});

test('balanced catches 85 % and wrongs 1 % at most, of all texts', () => {
  const judged = judge('tune', 'balanced', everything);
  expect(recallOf(judged)).toBeGreaterThanOrEqual(0.85);
  expect(falseAlarmRateOf(judged)).toBeLessThanOrEqual(0.01);
});

test('strict catches 95 % of all texts', () => {
  expect(recallOf(judge('tune', 'strict', everything))).toBeGreaterThanOrEqual(0.95);
});

test('on texts that no rule was set on, recall holds its bars and 1 % of the benign texts is wronged at most', () => {
  const balanced = judge('held-out', 'balanced');
  expect(recallOf(balanced)).toBeGreaterThanOrEqual(0.85);
  expect(falseAlarmRateOf(balanced)).toBeLessThanOrEqual(0.01);
  expect(recallOf(judge('held-out', 'strict'))).toBeGreaterThanOrEqual(0.95);
});

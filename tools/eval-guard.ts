/** `npm run eval:guard [-- --misses N]`: what prompt-guard catches, what it misses, and whom it wrongs. */

import { readCorpus, type Sample, SPLITS } from '../bench/guard/corpus.ts';
import { falseAlarmRateOf, judge, precisionOf, recallOf, SENSITIVITIES } from '../bench/guard/evaluate.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(8);
const at = process.argv.indexOf('--misses');
const shown = at < 0 ? 3 : Number(process.argv[at + 1] ?? 3);

const list = (title: string, samples: readonly Sample[]): void => {
  if (samples.length === 0) return;
  say(`    ${title}:`);
  for (const { text } of samples.slice(0, shown)) say(`      ${JSON.stringify(text.slice(0, 200))}`);
  if (samples.length > shown) say(`      and ${samples.length - shown} more`);
};

for (const split of SPLITS)
  for (const sensitivity of SENSITIVITIES) {
    const samples = readCorpus(split);
    const whole = judge(split, sensitivity, samples);
    say(`\n${split}, ${sensitivity}: ${whole.attacks} attacks, ${whole.benign} benign`);
    say(
      `  recall ${percent(recallOf(whole))}   precision ${percent(precisionOf(whole))}   false positives ${percent(falseAlarmRateOf(whole))}`,
    );
    for (const family of new Set(samples.map((sample) => sample.family))) {
      const own = judge(
        split,
        sensitivity,
        samples.filter((sample) => sample.family === family),
      );
      const isAttack = own.attacks > 0;
      const figure = isAttack
        ? `recall ${percent(recallOf(own))}`
        : `flagged${percent(falseAlarmRateOf(own))}`;
      say(`  ${family.padEnd(14)} ${`${own.attacks + own.benign}`.padStart(4)}   ${figure}`);
      list('missed', own.missed);
      list('wrongly flagged', own.alarmed);
    }
  }

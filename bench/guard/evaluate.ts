import { type Sensitivity, scan } from '@sluice/plugins';
import { readCorpus, type Sample, type Split } from './corpus.ts';

export const SENSITIVITIES: readonly Sensitivity[] = ['balanced', 'strict'];

/** What one sensitivity makes of one split. */
export interface Judged {
  readonly split: Split;
  readonly sensitivity: Sensitivity;
  readonly attacks: number;
  readonly benign: number;
  readonly caught: number;
  readonly falseAlarms: number;
  readonly missed: readonly Sample[];
  readonly alarmed: readonly Sample[];
}

/** Share, 0 to 1, of what is asked for; 1 where there is nothing to ask for. */
const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
export const recallOf = ({ caught, attacks }: Judged): number => share(caught, attacks);
export const falseAlarmRateOf = ({ falseAlarms, benign }: Judged): number =>
  benign === 0 ? 0 : falseAlarms / benign;
export const precisionOf = ({ caught, falseAlarms }: Judged): number => share(caught, caught + falseAlarms);

/** Judges some samples of a split. */
export const judge = (split: Split, sensitivity: Sensitivity, samples = readCorpus(split)): Judged => {
  const isFlagged = ({ text }: Sample): boolean => scan(text, sensitivity).score >= 1;
  const attacks = samples.filter(({ isAttack }) => isAttack);
  const benign = samples.filter(({ isAttack }) => !isAttack);
  const missed = attacks.filter((sample) => !isFlagged(sample));
  const alarmed = benign.filter(isFlagged);
  return {
    ...{ split, sensitivity, missed, alarmed },
    ...{ attacks: attacks.length, benign: benign.length },
    ...{ caught: attacks.length - missed.length, falseAlarms: alarmed.length },
  };
};

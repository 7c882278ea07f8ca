import { parseArgs } from 'node:util';
import { wholeNumber } from '../measure/whole-number.ts';
import { GROUPS, referencesOf, VARIANTS, type Variant } from './variants.ts';

export interface ChainOptions {
  readonly rounds: number;
  /** Before the first round, at most. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** A budget that is not met fails the run. */
  readonly isEnforced: boolean;
  /** Writes the tables into docs/performance.md. */
  readonly writesDocs: boolean;
  readonly variants: readonly Variant[];
}

const USAGE = `npm run bench -- chain [flags]
  --quick        one round of 2 s
  --rounds N     rounds, each of every variant in turn (default 5)
  --seconds N    length of a burst (default 3)
  --enforce      exit with 1 when a budget is not met
  --write-docs   write the tables into docs/performance.md
  --group A,B    kinds of load: ${Object.keys(GROUPS).join(', ')} (default: all)
  --only A,B     these variants beside their references: ${VARIANTS.map(({ id }) => id).join(', ')}`;

const listed = (name: string, text: string | undefined, known: readonly string[]): readonly string[] => {
  if (text === undefined) return known;
  const wanted = text.split(',');
  const unknown = wanted.filter((one) => !known.includes(one));
  if (unknown.length > 0)
    throw new Error(`--${name}: there is no ${unknown.join(', ')}
${USAGE}`);
  return wanted;
};

const chosen = (only: string | undefined, group: string | undefined): readonly Variant[] => {
  const groups = listed('group', group, Object.keys(GROUPS));
  const ids = new Set(
    listed(
      'only',
      only,
      VARIANTS.map(({ id }) => id),
    ),
  );
  const wanted = VARIANTS.filter((variant) => groups.includes(variant.group) && ids.has(variant.id));
  const references = new Set(wanted.flatMap((variant) => Object.values(referencesOf(variant.group))));
  return VARIANTS.filter((variant) => wanted.includes(variant) || references.has(variant.id));
};

export const readOptions = (args: readonly string[]): ChainOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      group: { type: 'string' },
      enforce: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  return {
    rounds: wholeNumber('rounds', values.rounds, values.quick ? 1 : 5, USAGE),
    seconds: wholeNumber('seconds', values.seconds, values.quick ? 2 : 3, USAGE),
    warmUpSeconds: values.quick ? 5 : 20,
    isEnforced: values.enforce,
    writesDocs: values['write-docs'],
    variants: chosen(values.only, values.group),
  };
};

import type { ChangeCounts, ConfigChanges, EntityChange, FieldChange } from '@sluice/contracts';
import { printable } from './commands/explain.ts';
import { paint, type Surroundings } from './surroundings.ts';

const MARKS = { added: '+', changed: '~', removed: '-' } as const;
const COLOURS = { added: 'green', changed: 'yellow', removed: 'red' } as const;
const MAX_VALUE = 200; // characters

/** `+2 ~1 -3`; what there is none of is left out. */
export const countsText = ({ added, changed, removed }: ChangeCounts): string =>
  [added > 0 ? `+${added}` : '', changed > 0 ? `~${changed}` : '', removed > 0 ? `-${removed}` : '']
    .filter(Boolean)
    .join(' ');

/** One line for each entity and, below it, one for each field. */
export const changeLines = ({ changes, changesLeftOut }: ConfigChanges, io: Surroundings): string[] => [
  ...changes.flatMap((change) => [
    headOf(change, io),
    ...change.fields.map((field) => fieldOf(change, field)),
  ]),
  ...(changesLeftOut === 0 ? [] : [`… and ${changesLeftOut} more`]),
];

const headOf = ({ op, kind, id, name, of }: EntityChange, { out }: Surroundings): string => {
  const owners = Object.entries(of).map(([field, owner]) => `${field} ${printable(owner)}`);
  const where = [...owners, ...(name === id ? [] : [id])].join(', ');
  return `${paint(out, COLOURS[op], `${MARKS[op]} ${kind} ${printable(name)}`)}${where === '' ? '' : ` (${where})`}`;
};

const fieldOf = ({ op }: EntityChange, { field, before, after }: FieldChange): string => {
  if (op === 'added') return `    ${printable(field)}: ${shown(after)}`;
  if (op === 'removed') return `    ${printable(field)}: ${shown(before)}`;
  return `    ${printable(field)}: ${shown(before)} → ${shown(after)}`;
};

const shown = (value: unknown): string => {
  const text = printable(value === undefined ? 'unset' : JSON.stringify(value));
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`;
};

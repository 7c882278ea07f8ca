import type { ConfigChanges, EntityChange } from '@sluice/contracts';
import { Badge } from './frame.tsx';
import { Empty } from './states.tsx';

const TONES = { added: 'good', changed: 'warn', removed: 'bad' } as const;
const MAX_VALUE = 200;

const shown = (value: unknown): string => {
  const text = value === undefined ? 'unset' : JSON.stringify(value);
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`;
};

export const countOf = ({ counts: { added, changed, removed } }: ConfigChanges): number =>
  added + changed + removed;

/** What differs, by entity and field. */
export const ChangeList = ({ of: list }: { of: ConfigChanges }) =>
  countOf(list) === 0 ? (
    <Empty title="No difference to what is live" />
  ) : (
    <ul class="list">
      {list.changes.map((one) => (
        <li key={`${one.kind} ${one.id}`}>
          <OneChange of={one} />
        </li>
      ))}
      {list.changesLeftOut > 0 && <li class="muted">and {list.changesLeftOut} more</li>}
    </ul>
  );

const OneChange = ({ of: { op, kind, name, fields } }: { of: EntityChange }) => (
  <div class={`change ${op}`}>
    <span>
      <Badge tone={TONES[op]}>{op}</Badge> {kind.replace(/s$/, '')} <b>{name}</b>
    </span>
    {op === 'changed' &&
      fields.map(({ field, before, after }) => (
        <span key={field} class="mono">
          {field}: <del>{shown(before)}</del> → <ins>{shown(after)}</ins>
        </span>
      ))}
  </div>
);

import type { ConfigChanges } from '@sluice/contracts';
import { useEffect, useState } from 'preact/hooks';
import type { History, HistoryEntry } from '../api/answers.ts';
import { type AskError, ask } from '../api/ask.ts';
import { useLive } from '../api/live.ts';
import { asAskError, useAnswer } from '../api/use-answer.ts';
import { ChangeList } from '../parts/changes.tsx';
import { Commands } from '../parts/command.tsx';
import { Badge, Panel } from '../parts/frame.tsx';
import { Problem, Waiting } from '../parts/states.tsx';
import { useMay } from '../session.ts';
import { dayAndClock } from '../words.ts';

/** Every version, and back to one of them; nothing where the registry keeps no history. */
export const HistoryPanel = ({ reload }: { reload: () => void }) => {
  const { value: endpoints } = useAnswer<{ data: readonly string[] }>('/endpoints');
  const isKept = endpoints?.data.includes('/sluice/history') ?? false;
  const { value, again } = useAnswer<History>(isKept ? '/sluice/history?limit=20' : undefined);
  const [open, setOpen] = useState<number | undefined>();
  const version = useLive().view?.configuration.version;
  useEffect(again, [version, again]);
  if (value === undefined) return null;
  const changed = () => {
    setOpen(undefined);
    reload();
  };
  return (
    <Panel title="History" aside={`r${value.live} is live`} isWide>
      <ul class="list">
        {value.data.map((entry) => (
          <li key={entry.version}>
            <Badge tone={entry.version === value.live ? 'good' : 'plain'}>r{entry.version}</Badge>
            <span>{entry.message ?? <span class="muted">no message</span>}</span>
            <span class="muted">
              {entry.author}, {dayAndClock(entry.time)}
            </span>
            {entry.version !== value.live && (
              <button
                type="button"
                class="quiet"
                aria-expanded={open === entry.version}
                onClick={() => setOpen(open === entry.version ? undefined : entry.version)}
              >
                Back to r{entry.version} …
              </button>
            )}
            {open === entry.version && <GoBack entry={entry} live={value.live} changed={changed} />}
          </li>
        ))}
      </ul>
      <Commands texts={['sluice history']} />
    </Panel>
  );
};

const GoBack = ({ entry, live, changed }: { entry: HistoryEntry; live: number; changed: () => void }) => {
  const mayAct = useMay('operator');
  const { value, error } = useAnswer<ConfigChanges>(`/sluice/diff?from=${live}&to=${entry.version}`);
  const [refusal, setRefusal] = useState<AskError | undefined>();
  const rollBack = async () => {
    try {
      const json = { version: entry.version, message: `back to r${entry.version} from the console` };
      await ask('/sluice/rollback', { method: 'POST', json, expectedVersion: live });
      changed();
    } catch (problem) {
      setRefusal(asAskError(problem));
    }
  };
  const problem = refusal ?? error;
  return (
    <div class="back">
      {problem && <Problem error={problem} />}
      {value === undefined && error === undefined && <Waiting what="Comparing" />}
      {value !== undefined && <ChangeList of={value} />}
      {mayAct && value !== undefined && (
        <button type="button" class="danger" onClick={() => void rollBack()}>
          Roll back to r{entry.version}
        </button>
      )}
      <Commands texts={[`sluice diff r${live} r${entry.version}`, `sluice rollback ${entry.version}`]} />
    </div>
  );
};

import { useState } from 'preact/hooks';
import { type AskError, ask } from '../api/ask.ts';
import type { Canary, CanarySide } from '../api/policy-answers.ts';
import { asAskError, useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Panel, Table } from '../parts/frame.tsx';
import { Meter } from '../parts/meter.tsx';
import { Problem } from '../parts/states.tsx';
import { useMay } from '../session.ts';
import { clock, count, micros, quoted } from '../words.ts';

const LOOK_EVERY_MS = 1500;

/** Offers the checked text to some of the edges. `isReady`: it is what is in the editor, and not what is live. */
export const OfferCanary = ({ text, isReady }: { text: string; isReady: boolean }) => {
  const [share, setShare] = useState('25');
  const [minutes, setMinutes] = useState('1');
  const [message, setMessage] = useState('');
  const [begun, setBegun] = useState(false);
  const [error, setError] = useState<AskError | undefined>();
  const offer = async (event: Event) => {
    event.preventDefault();
    try {
      const json = {
        ...{ config: text, share: Number(share) / 100, forSeconds: Number(minutes) * 60 },
        ...(message === '' ? {} : { message }),
      };
      await ask('/sluice/canary', { method: 'POST', json });
      setError(undefined);
      setBegun(true);
    } catch (problem) {
      setBegun(false);
      setError(asAskError(problem));
    }
  };
  return (
    <Panel title="On some of the edges" aside="live if it does no worse, else dropped">
      <form class="fields" onSubmit={(event) => void offer(event)}>
        <label class="short">
          % of the edges
          <input
            {...{ type: 'number', min: 1, max: 99, required: true, value: share }}
            onInput={(event) => setShare(event.currentTarget.value)}
          />
        </label>
        <label class="short">
          Minutes
          <input
            {...{ type: 'number', min: 0.1, max: 60, step: 0.1, required: true, value: minutes }}
            onInput={(event) => setMinutes(event.currentTarget.value)}
          />
        </label>
        <label>
          What for
          <input
            value={message}
            maxLength={1000}
            onInput={(event) => setMessage(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="quiet" disabled={!isReady}>
          Try it on some
        </button>
      </form>
      {begun && (
        <p class="done" role="status">
          Offered; see above.
        </p>
      )}
      {error && <Problem error={error} />}
      <Commands
        texts={[
          `sluice canary kong.yml --share ${share}% --for ${Math.round(Number(minutes) * 60)}s -m ${message === '' ? "'why'" : quoted(message)}`,
        ]}
      />
    </Panel>
  );
};

/** The candidate that is tried now, or the last one; nothing where there was none. */
export const CanaryPanel = () => {
  const { value, error, again } = useAnswer<{ canary: Canary | null }>('/sluice/canary', LOOK_EVERY_MS);
  const canary = value?.canary;
  if (error !== undefined) return <Problem error={error} again={again} />;
  if (canary === undefined || canary === null) return null;
  const isOver = canary.phase === 'promoted' || canary.phase === 'rolled-back';
  return (
    <Panel title="Candidate" aside={`by ${canary.author}, against r${canary.base}`} isWide>
      <Phase of={canary} />
      <Sides of={canary} />
      {!isOver && <Decide again={again} />}
    </Panel>
  );
};

const Phase = ({ of: { phase, edges, startedAt, endsAt, version, reason } }: { of: Canary }) => {
  const [from, until] = [Date.parse(startedAt), Date.parse(endsAt)];
  const passed = Math.max(0, (Date.now() - from) / Math.max(1, until - from));
  if (phase === 'promoted')
    return (
      <p role="status">
        <Badge tone="good">live</Badge> as r{version}
        {reason !== null && `: ${reason}`}
      </p>
    );
  if (phase === 'rolled-back')
    return (
      <p role="status">
        <Badge tone="bad">dropped</Badge> {reason}
      </p>
    );
  return (
    <>
      <p role="status">
        <Badge tone="warn">{phase === 'starting' ? 'offered to' : 'tried by'}</Badge> {edges.join(', ')} until{' '}
        {clock(until)}
      </p>
      <Meter share={Math.min(0.999, passed)} />
    </>
  );
};

const Sides = ({ of: { candidate, others } }: { of: Canary }) => {
  if (candidate === null || others === null)
    return <p class="muted">No request of either side is counted yet.</p>;
  return (
    <Table
      label="Both sides"
      rows={[
        { name: 'candidate', side: candidate },
        { name: 'the others', side: others },
      ]}
      keyOf={({ name }) => name}
      columns={[
        { title: 'Side', cell: ({ name }) => <b>{name}</b> },
        { title: 'Edges', isNumber: true, isExtra: true, cell: ({ side }) => side.edges },
        { title: 'Requests', isNumber: true, cell: ({ side }) => count(side.requests) },
        { title: 'Failed', isNumber: true, cell: ({ side }) => shareOf(side, 'failed') },
        { title: 'Refused', isNumber: true, cell: ({ side }) => shareOf(side, 'refused') },
        { title: '99 of 100 within', isNumber: true, cell: ({ side }) => micros(side.p99Us) },
      ]}
    />
  );
};

const shareOf = (side: CanarySide, what: 'failed' | 'refused'): string =>
  side.requests === 0 ? '–' : `${((100 * side[what]) / side.requests).toFixed(1)} %`;

const Decide = ({ again }: { again: () => void }) => {
  const mayAct = useMay('operator');
  const [error, setError] = useState<AskError | undefined>();
  if (!mayAct) return null;
  const act = async (method: 'POST' | 'DELETE', path: string) => {
    try {
      await ask(path, { method });
      setError(undefined);
    } catch (problem) {
      setError(asAskError(problem));
    }
    again();
  };
  return (
    <>
      <div class="fields">
        <button type="button" onClick={() => void act('POST', '/sluice/canary/promote')}>
          Make it live now
        </button>
        <button type="button" class="danger" onClick={() => void act('DELETE', '/sluice/canary')}>
          Drop it
        </button>
      </div>
      {error && <Problem error={error} />}
      <Commands texts={['sluice canary --promote', 'sluice canary --abort']} />
    </>
  );
};

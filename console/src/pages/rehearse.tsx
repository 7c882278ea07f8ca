import type { SimulatedOutcome, SimulationReport } from '@sluice/contracts';
import { useState } from 'preact/hooks';
import { type AskError, ask } from '../api/ask.ts';
import { asAskError } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Panel, toneOfStatus } from '../parts/frame.tsx';
import { Problem, Waiting } from '../parts/states.tsx';
import { linkTo } from '../place.ts';
import { count } from '../words.ts';

const SINCE_SECONDS = 900;
const SHOWN_TENANTS = 10;

/** What the checked text would have made of the latest requests. `text` is another one: what was told is taken away. */
export const Rehearse = ({ text }: { text: string }) => {
  const [told, setTold] = useState<{ text: string; report: SimulationReport } | undefined>();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<AskError | undefined>();
  const run = async () => {
    setBusy(true);
    try {
      const path = `/sluice/simulate?since=${SINCE_SECONDS}`;
      const { body } = await ask<SimulationReport>(path, { method: 'POST', yaml: text });
      setTold({ text, report: body });
      setError(undefined);
    } catch (problem) {
      setError(asAskError(problem));
    }
    setBusy(false);
  };
  return (
    <Panel title="On the latest requests" aside="15 minutes; nothing is applied">
      {told?.text === text && <Report of={told.report} />}
      {error && <Problem error={error} />}
      {isBusy ? (
        <Waiting what="Going through what the edges remember" />
      ) : (
        <p>
          <button type="button" class="quiet" onClick={() => void run()}>
            Simulate
          </button>
        </p>
      )}
      <Commands texts={['sluice simulate kong.yml --since 15m']} />
    </Panel>
  );
};

const Report = ({ of: { requests, changes, unknown, tenants } }: { of: SimulationReport }) => {
  const changed = tenants.filter(({ changes: own }) => own > 0);
  return (
    <>
      <p role="status">
        <b>{count(changes)}</b> of {count(requests)} requests would end otherwise
        {unknown > 0 && `; of ${count(unknown)} it cannot be said`}.
      </p>
      <ul class="list">
        {changed.slice(0, SHOWN_TENANTS).flatMap(({ tenant, groups }) =>
          groups.map(({ requests: times, now, would, examples }) => (
            <li key={`${tenant} ${wordsOf(now)} ${wordsOf(would)}`}>
              <a href={linkTo('tenant', tenant)}>{tenant}</a>
              <span class="muted">{count(times)} ×</span>
              <OutcomeBadge of={now} /> → <OutcomeBadge of={would} />
              {examples.slice(0, 1).map(({ requestId, method, path }) => (
                <a key={requestId} class="mono" href={linkTo('request', requestId)}>
                  {method} {path}
                </a>
              ))}
            </li>
          )),
        )}
        {changed.length > SHOWN_TENANTS && (
          <li class="muted">and {changed.length - SHOWN_TENANTS} more tenants</li>
        )}
      </ul>
    </>
  );
};

const wordsOf = ({ verdict, status, code, plugin, route, upstream }: SimulatedOutcome): string =>
  [status ?? verdict, code ?? plugin ?? upstream ?? route].filter(Boolean).join(' ');

const OutcomeBadge = ({ of: outcome }: { of: SimulatedOutcome }) => (
  <Badge tone={outcome.verdict === 'refused' ? toneOfStatus(outcome.status ?? 400) : 'plain'}>
    {wordsOf(outcome)}
  </Badge>
);

import { useState } from 'preact/hooks';
import { type AskError, ask } from '../api/ask.ts';
import type { GuardVerdict } from '../api/policy-answers.ts';
import { asAskError } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Panel } from '../parts/frame.tsx';
import { Problem } from '../parts/states.tsx';

const MAX_CHARS = 20_000;

/** What prompt-guard would say of a text. Nobody keeps it. */
export const TryText = () => {
  const [text, setText] = useState('');
  const [sensitivity, setSensitivity] = useState('balanced');
  const [told, setTold] = useState<GuardVerdict | undefined>();
  const [error, setError] = useState<AskError | undefined>();
  const judge = async (event: Event) => {
    event.preventDefault();
    try {
      const json = { text, sensitivity };
      const { body } = await ask<GuardVerdict>('/sluice/guard', { method: 'POST', json });
      setTold(body);
      setError(undefined);
    } catch (problem) {
      setTold(undefined);
      setError(asAskError(problem));
    }
  };
  return (
    <Panel title="Try a text" aside="it is judged by the registry and not kept">
      <form class="fields" onSubmit={(event) => void judge(event)}>
        <label class="long">
          Text
          <textarea
            rows={4}
            required
            maxLength={MAX_CHARS}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label class="short">
          Sensitivity
          <select value={sensitivity} onChange={(event) => setSensitivity(event.currentTarget.value)}>
            <option value="balanced">balanced</option>
            <option value="strict">strict</option>
          </select>
        </label>
        <button type="submit">Judge it</button>
      </form>
      {error && <Problem error={error} />}
      {told !== undefined && <Verdict of={told} />}
      <Commands texts={[`sluice guard - --sensitivity ${sensitivity} < text.txt`]} />
    </Panel>
  );
};

const Verdict = ({ of: { attack, score, hits } }: { of: GuardVerdict }) => (
  <div role="status">
    <p>
      <Badge tone={attack ? 'bad' : 'good'}>{attack ? 'an attack' : 'no attack'}</Badge> {score.toFixed(2)} of
      1
    </p>
    <ul class="list">
      {hits.map(({ rule, family, weight, excerpt }) => (
        <li key={`${rule} ${excerpt}`}>
          <span class="number">{weight.toFixed(2)}</span>
          <b>{rule}</b> <span class="muted">{family}</span> <code>{excerpt}</code>
        </li>
      ))}
    </ul>
  </div>
);

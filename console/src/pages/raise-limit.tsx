import { useState } from 'preact/hooks';
import type { PluginEntity } from '../api/answers.ts';
import { type AskError, ask } from '../api/ask.ts';
import { asAskError, useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge } from '../parts/frame.tsx';
import { Problem } from '../parts/states.tsx';
import { useMay } from '../session.ts';
import { clock, count, quoted } from '../words.ts';

const SPANS: readonly (readonly [seconds: string, words: string])[] = [
  ['', 'until changed again'],
  ['900', '15 minutes'],
  ['3600', 'an hour'],
  ['14400', '4 hours'],
  ['43200', '12 hours'],
];

/** What holds only for a time, as the registry reads it from the policy's tags. */
interface Until {
  readonly at: number;
  readonly before: string;
}

const untilOf = ({ tags }: PluginEntity, period: string): Until | undefined => {
  for (const tag of tags ?? []) {
    const [, seconds, before = ''] =
      new RegExp(`^sluice-until:(\\d+):config\\.${period}:\\d+:(\\d+|null)$`).exec(tag) ?? [];
    if (seconds !== undefined) return { at: Number(seconds) * 1000, before };
  }
  return undefined;
};

const otherTags = ({ tags }: PluginEntity, period: string): string[] =>
  (tags ?? []).filter((tag) => !(tag.startsWith('sluice-until:') && tag.includes(`:config.${period}:`)));

/** Sets a policy's tightest limit, for a time or until somebody changes it again. */
export const RaiseLimit = ({ policyId, periods }: { policyId: string; periods: readonly string[] }) => {
  const mayAct = useMay('operator');
  const { value: policy, again } = useAnswer<PluginEntity>(`/plugins/${policyId}`);
  const [wanted, setWanted] = useState('');
  const [span, setSpan] = useState('');
  const [done, setDone] = useState('');
  const [error, setError] = useState<AskError | undefined>();
  const [period = 'minute'] = periods;
  const limit = policy?.config[period];
  if (policy === undefined || typeof limit !== 'number') return null;
  const until = untilOf(policy, period);
  const words = SPANS.find(([seconds]) => seconds === span)?.[1] ?? '';
  const message = `${period} limit ${limit} to ${wanted}${span === '' ? '' : ` for ${words}`}`;
  const set = async (to: number, seconds: string, why: string) => {
    const at = Math.floor(Date.now() / 1000) + Number(seconds);
    const tag = `sluice-until:${at}:config.${period}:${to}:${until?.before ?? limit}`;
    const tags = [...otherTags(policy, period), ...(seconds === '' ? [] : [tag])];
    try {
      const { headers } = await ask(`/plugins/${policyId}`, {
        ...{ method: 'PATCH', json: { config: { [period]: to }, tags }, message: why },
      });
      setError(undefined);
      const where = `live on ${headers.get('x-sluice-acknowledged')} edges`;
      setDone(`${headers.get('x-sluice-generation')}: ${to} a ${period}, ${where}.`);
      again();
    } catch (problem) {
      setError(asAskError(problem));
    }
  };
  const raise = (event: Event) => {
    event.preventDefault();
    void set(Number(wanted), span, message);
  };
  return (
    <>
      {until !== undefined && (
        <p>
          <Badge tone="warn">for a time</Badge> {count(limit)} a {period} until {clock(until.at)}, then{' '}
          {until.before === 'null' ? 'no limit' : until.before} again.{' '}
          {mayAct && until.before !== 'null' && (
            <button
              type="button"
              class="quiet"
              onClick={() => void set(Number(until.before), '', `${period} limit back to ${until.before}`)}
            >
              Back to {until.before} now
            </button>
          )}
        </p>
      )}
      {mayAct && (
        <form class="fields" onSubmit={raise}>
          <label class="short">
            Per {period} (now {limit})
            <input
              {...{ type: 'number', min: 1, required: true, value: wanted }}
              onInput={(event) => setWanted(event.currentTarget.value)}
            />
          </label>
          <label class="short">
            For
            <select value={span} onChange={(event) => setSpan(event.currentTarget.value)}>
              {SPANS.map(([seconds, said]) => (
                <option key={seconds} value={seconds}>
                  {said}
                </option>
              ))}
            </select>
          </label>
          <button type="submit">Set the limit</button>
          <span class="muted">for everybody whom this policy limits</span>
        </form>
      )}
      {done !== '' && (
        <p class="done" role="status">
          {done}
        </p>
      )}
      {error && <Problem error={error} />}
      {mayAct && <Commands texts={[`sluice apply kong.yml -m ${quoted(wanted === '' ? 'why' : message)}`]} />}
    </>
  );
};

import { useState } from 'preact/hooks';
import { type AskError, ask } from '../api/ask.ts';
import { asAskError } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Problem } from '../parts/states.tsx';
import { quoted } from '../words.ts';

/** Refuses every token of a tenant issued until now; asks once more. */
export const RevokeTenant = ({ tenant }: { tenant: string }) => {
  const [reason, setReason] = useState('');
  const [done, setDone] = useState(false);
  const [error, setError] = useState<AskError | undefined>();
  const revoke = async (event: Event) => {
    event.preventDefault();
    try {
      await ask('/sluice/revocations', { method: 'POST', json: { by: 'tenant', value: tenant, reason } });
      setDone(true);
      setError(undefined);
    } catch (problem) {
      setError(asAskError(problem));
    }
  };
  return (
    <details class="panel">
      <summary>Revoke the tokens of {tenant} …</summary>
      <p>
        Every token issued until now that speaks for this tenant is refused everywhere, for good. New ones are
        let in.
      </p>
      {done ? (
        <p class="done" role="status">
          Revoked.
        </p>
      ) : (
        <form class="fields" onSubmit={(event) => void revoke(event)}>
          <label>
            Why
            <input
              value={reason}
              required
              maxLength={500}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="danger">
            Revoke all tokens
          </button>
        </form>
      )}
      {error && <Problem error={error} />}
      <Commands
        texts={[
          `sluice token revoke --tenant ${quoted(tenant)} -m ${quoted(reason === '' ? 'why' : reason)}`,
        ]}
      />
    </details>
  );
};

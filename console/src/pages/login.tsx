import { useEffect, useRef, useState } from 'preact/hooks';
import type { SessionAnswer } from '../api/answers.ts';
import { type AskError, ask } from '../api/ask.ts';
import { asAskError } from '../api/use-answer.ts';
import { Problem } from '../parts/states.tsx';
import mark from '../sluice.svg';

export const Login = ({ enter }: { enter: (session: SessionAnswer) => void }) => {
  const [error, setError] = useState<AskError | undefined>();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const send = async (event: Event) => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? '';
    try {
      enter((await ask<SessionAnswer>('/sluice/login', { method: 'POST', json: { token } })).body);
    } catch (problem) {
      setError(asAskError(problem));
    }
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void send(event)}>
        <span class="brand">
          <img src={mark} alt="" /> Sluice
        </span>
        <h1>Log in</h1>
        <label>
          Admin token
          <input ref={field} type="password" name="token" autocomplete="current-password" required />
        </label>
        {error !== undefined &&
          (error.status === 401 ? (
            <div class="problem" role="alert">
              <p>Nobody has this token. It is one of ADMIN_TOKENS of config-registry.</p>
            </div>
          ) : (
            <Problem error={error} />
          ))}
        <button type="submit">Log in</button>
        <p class="muted">The session ends after eight hours, when you log out, or with the registry.</p>
      </form>
    </main>
  );
};

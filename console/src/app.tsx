import { useEffect, useState } from 'preact/hooks';
import type { SessionAnswer } from './api/answers.ts';
import { type AskError, ask, keepCsrf, whenLoggedOut } from './api/ask.ts';
import { followLive, useLive } from './api/live.ts';
import { asAskError } from './api/use-answer.ts';
import { Login } from './pages/login.tsx';
import { PAGES, pageNamed } from './pages/pages.tsx';
import { Problem, Waiting } from './parts/states.tsx';
import { linkTo, usePlace } from './place.ts';
import { SessionOf } from './session.ts';
import mark from './sluice.svg';

type State = SessionAnswer | 'unknown' | 'out' | AskError;

/** Who we are first; then the pages. */
export const App = () => {
  const [state, setState] = useState<State>('unknown');
  const enter = (session: SessionAnswer) => {
    keepCsrf(session.csrf);
    setState(session);
  };
  const look = () => {
    setState('unknown');
    ask<SessionAnswer>('/sluice/session')
      .then(({ body }) => enter(body))
      .catch((error: unknown) => {
        const problem = asAskError(error);
        if (problem.status !== 401) setState(problem);
      });
  };
  useEffect(() => {
    whenLoggedOut(() => setState('out'));
    look();
  }, []);
  if (state === 'out') return <Login enter={enter} />;
  if (state === 'unknown' || state instanceof Error)
    return (
      <main class="login">
        {state === 'unknown' ? (
          <Waiting what="Asking the registry" />
        ) : (
          <Problem error={state} again={look} />
        )}
      </main>
    );
  return (
    <SessionOf.Provider value={state}>
      <Frame session={state} leave={() => setState('out')} />
    </SessionOf.Provider>
  );
};

const Frame = ({ session, leave }: { session: SessionAnswer; leave: () => void }) => {
  const place = usePlace();
  const page = pageNamed(place.page);
  useEffect(() => followLive(), []);
  useEffect(() => {
    document.title = `${page.title} · Sluice`;
    // On a phone the menu is wider than the page.
    document.querySelector('[aria-current="page"]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [page]);
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={skip}>
        To the page
      </button>
      <header class="side">
        <span class="brand">
          <img src={mark} alt="" /> Sluice
        </span>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map(({ name, title }) => (
              <li key={name}>
                <a href={linkTo(name)} aria-current={name === page.name ? 'page' : undefined}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <Who session={session} leave={leave} />
      </header>
      <main id="page" class="page" tabIndex={-1}>
        <Degraded />
        <page.Page key={`${page.name}/${place.subject ?? ''}`} place={place} />
      </main>
    </div>
  );
};

/** A button, not a link: the hash is the page's address. */
const skip = (): void => document.getElementById('page')?.focus();

const Who = ({ session, leave }: { session: SessionAnswer; leave: () => void }) => {
  const { view, isSilent } = useLive();
  const state = isSilent ? 'silent' : view === undefined ? 'waiting-for' : '';
  const words = isSilent
    ? 'no news'
    : view === undefined
      ? 'connecting'
      : `live · r${view.configuration.version}`;
  const end = async () => {
    await ask('/sluice/session', { method: 'DELETE' }).catch(() => {});
    leave();
  };
  return (
    <div class="who">
      <span class={`pulse ${state}`} role="status">
        {words}
      </span>
      <a href="/sluice/api">Admin API</a>
      {session.name === null ? (
        <span class="muted">open on this machine</span>
      ) : (
        <>
          <span>
            {session.name} <span class="muted">· {session.role}</span>
          </span>
          <button type="button" class="quiet" onClick={() => void end()}>
            Log out
          </button>
        </>
      )}
    </div>
  );
};

/** On every page: what is not well. */
const Degraded = () => {
  const { view, isSilent } = useLive();
  if (isSilent)
    return (
      <p class="banner" role="alert">
        <strong>The registry is silent.</strong> What you see is old. Edges go on with the configuration they
        have: <code>sluice doctor</code>
      </p>
    );
  const ill = view?.dependencies.filter(({ isWell }) => !isWell) ?? [];
  const missing = view === undefined ? 0 : view.edges.live - view.edges.answered;
  if (view?.edges.live === 0)
    return (
      <p class="banner" role="alert">
        <strong>No edge is alive.</strong> Nobody is served: <code>sluice doctor</code>
      </p>
    );
  if (ill.length === 0 && missing <= 0) return null;
  return (
    <p class="banner" role="alert">
      <strong>Degraded.</strong> {ill.map(({ name, says }) => `${name}: ${says}.`).join(' ')}
      {missing > 0 && ` ${missing} of ${view?.edges.live} edges did not answer.`} <code>sluice doctor</code>
    </p>
  );
};

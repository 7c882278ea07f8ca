import type { ComponentChildren } from 'preact';
import type { AskError } from '../api/ask.ts';

/** Nothing is there, and what to do about it. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
);

export const Waiting = ({ what }: { what: string }) => (
  <p class="waiting" role="status">
    {what} …
  </p>
);

/** Something could not be had or done. */
export const Problem = ({ error, again }: { error: AskError; again?: () => void }) => (
  <div class="problem" role="alert">
    <p>
      <strong>{titleOf(error)}</strong> {error.message}
    </p>
    {again && (
      <button type="button" class="quiet" onClick={again}>
        Try again
      </button>
    )}
  </div>
);

const titleOf = ({ status, code }: AskError): string =>
  code.startsWith('canary_') ? 'Not now.' : (TITLES[status] ?? 'That did not work.');

const TITLES: Readonly<Record<number, string>> = {
  0: 'No answer.',
  403: 'Not with your role.',
  404: 'Not found.',
  409: 'Somebody was faster.',
  503: 'Not now.',
};

/** What the registry said no with, or that it said nothing. */
export class AskError extends Error {
  /** 0: no answer at all. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Told<T> {
  readonly body: T;
  readonly headers: Headers;
}

let csrf: string | null = null;
let onLoggedOut = () => {};

/** What goes along with every change from now on. */
export const keepCsrf = (text: string | null): void => {
  csrf = text;
};

/** Called whenever the registry does not know us (any more). */
export const whenLoggedOut = (act: () => void): void => {
  onLoggedOut = act;
};

export interface Change {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly json?: unknown;
  readonly yaml?: string;
  /** Why, for the history. */
  readonly message?: string;
  /** What was looked at: the change is refused when another version is live by now. */
  readonly expectedVersion?: number;
}

/**
 * Asks the Admin API.
 * @throws AskError for every answer of 400 and above, and when there is none.
 */
export const ask = async <T>(path: string, change?: Change, signal?: AbortSignal): Promise<Told<T>> => {
  const answer = await fetch(path, { ...requestOf(change), ...(signal ? { signal } : {}) }).catch(
    (cause: unknown) => {
      if (signal?.aborted) throw cause;
      throw new AskError(0, 'no_answer', 'The registry does not answer. Is the gateway running?');
    },
  );
  const text = await answer.text();
  if (answer.ok) return { body: (text === '' ? null : JSON.parse(text)) as T, headers: answer.headers };
  const error = errorOf(answer.status, text);
  if (error.status === 401) onLoggedOut();
  throw error;
};

const requestOf = (change: Change | undefined): RequestInit => {
  if (change === undefined) return { headers: { accept: 'application/json' } };
  const { method, json, yaml, message = '', expectedVersion } = change;
  const type = yaml === undefined ? 'application/json' : 'application/yaml';
  const body = yaml ?? (json === undefined ? undefined : JSON.stringify(json));
  return {
    method,
    headers: {
      // Headers are ASCII: the registry takes them percent-encoded.
      ...(message === '' ? {} : { 'x-sluice-message': encodeURI(message) }),
      ...(expectedVersion === undefined ? {} : { 'x-sluice-expected-generation': `r${expectedVersion}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(csrf === null ? {} : { 'x-sluice-csrf': csrf }),
    },
    ...(body === undefined ? {} : { body }),
  };
};

/** Our own form, else Kong's. */
const errorOf = (status: number, text: string): AskError => {
  try {
    const body = JSON.parse(text) as { error?: { code: string; message: string }; message?: string };
    if (body.error !== undefined) return new AskError(status, body.error.code, body.error.message);
    return new AskError(status, 'refused', body.message ?? text);
  } catch {
    return new AskError(status, 'refused', text.slice(0, 300) || `The registry answered ${status}.`);
  }
};

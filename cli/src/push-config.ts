import { ask } from './ask.ts';

const TIMEOUT_MS = 30_000; // a first load of 10,000 routes takes seconds on a small machine

export interface Push {
  readonly admin: string;
  /** YAML or JSON. */
  readonly text: string;
  readonly author: string;
  readonly message?: string | undefined;
  /** As `r12`: refused where another version is in force. */
  readonly expect?: string | undefined;
  /** Token of the Admin API; absent: it asks for none. */
  readonly token?: string | undefined;
}

export type Pushed =
  | { ok: true; generation: string | undefined; acknowledged: string | undefined }
  | { ok: false; kind: 'refused' | 'unavailable' | 'unreachable'; message: string };

/** Headers are ASCII: anything else travels percent-encoded, as in a URL. */
const headerText = (text: string): string => encodeURI(text).replaceAll('%20', ' ');

const explain = (status: number, body: string): string => {
  try {
    const { message, error } = JSON.parse(body) as { message?: unknown; error?: { message?: unknown } };
    if (typeof message === 'string') return message;
    if (typeof error?.message === 'string') return `${error.message} (SLUICE_ADMIN_TOKEN names the token)`;
  } catch {
    // Not JSON: something other than our registry answered, so its text is shown below.
  }
  return `the Admin API answered ${status}: ${body.slice(0, 300)}`;
};

/** Replaces the whole configuration, as a `POST /config` of Kong does. */
export const pushConfig = async ({ admin, text, author, message, expect, token }: Push): Promise<Pushed> => {
  const headers = {
    'content-type': 'application/json',
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    'x-sluice-author': headerText(author),
    ...(message === undefined ? {} : { 'x-sluice-message': headerText(message) }),
    ...(expect === undefined ? {} : { 'x-sluice-expected-generation': expect }),
  };
  const body = JSON.stringify({ config: text });
  try {
    const answer = await ask(`${admin}/config`, { method: 'POST', headers, body, timeoutMs: TIMEOUT_MS });
    if (answer.status < 200 || answer.status > 299)
      return {
        ok: false,
        kind: answer.status < 500 ? 'refused' : 'unavailable',
        message: explain(answer.status, answer.text),
      };
    return {
      ok: true,
      generation: answer.header('x-sluice-generation'),
      acknowledged: answer.header('x-sluice-acknowledged'),
    };
  } catch (error) {
    const { message: detail } = error as Error;
    return {
      ok: false,
      kind: 'unreachable',
      message: `the Admin API at ${admin} does not answer: ${detail}`,
    };
  }
};

/** "r4 · acknowledged 1/1"; nothing is acknowledged as long as the registry has heard of no edge. */
export const describePush = ({ generation = 'r?', acknowledged }: Pushed & { ok: true }): string =>
  acknowledged === undefined || acknowledged === '0/0'
    ? generation
    : `${generation} · acknowledged ${acknowledged}`;

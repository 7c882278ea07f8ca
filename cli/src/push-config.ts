const TIMEOUT_MS = 30_000; // a first load of 10,000 routes takes seconds on a small machine

export interface Push {
  readonly admin: string;
  /** YAML or JSON. */
  readonly text: string;
  readonly author: string;
  readonly message?: string | undefined;
}

export type Pushed =
  | { ok: true; generation: string | undefined; acknowledged: string | undefined }
  | { ok: false; kind: 'refused' | 'unreachable'; message: string };

/** Headers are ASCII: anything else travels percent-encoded, as in a URL. */
const headerText = (text: string): string => encodeURI(text).replaceAll('%20', ' ');

const explain = (status: number, body: string): string => {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Not JSON: something other than our registry answered, so its text is shown below.
  }
  return `the Admin API answered ${status}: ${body.slice(0, 300)}`;
};

/** Replaces the whole configuration, as `curl -F config=@kong.yml` does. */
export const pushConfig = async ({ admin, text, author, message }: Push): Promise<Pushed> => {
  const form = new FormData();
  form.set('config', new Blob([text], { type: 'application/yaml' }), 'kong.yml');
  const headers = {
    'x-sluice-author': headerText(author),
    ...(message === undefined ? {} : { 'x-sluice-message': headerText(message) }),
  };
  try {
    const answer = await fetch(`${admin}/config`, {
      method: 'POST',
      headers,
      body: form,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = await answer.text();
    if (!answer.ok) return { ok: false, kind: 'refused', message: explain(answer.status, body) };
    return {
      ok: true,
      generation: answer.headers.get('x-sluice-generation') ?? undefined,
      acknowledged: answer.headers.get('x-sluice-acknowledged') ?? undefined,
    };
  } catch (error) {
    const { cause, message: reason } = error as Error;
    const detail = cause instanceof Error ? cause.message : reason;
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

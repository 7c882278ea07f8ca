import { type Answer, call } from '@sluice/testkit';

const ANSWERS_WITHIN_MS = 4000;

/** One request that is given up after a while, as a client with a timeout does. */
export const callWithin = async (origin: string, path: string, options = {}): Promise<Answer> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no answer')), ANSWERS_WITHIN_MS);
  const answer = call(origin, path, options);
  answer.catch(() => undefined); // it may fail after the time is up
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** What the configurations have beside their number: entities by kind. */
export type Beside = Readonly<Record<'issuers' | 'services' | 'routes' | 'plugins', readonly object[]>>;

const documentOf = (generation: number, beside: Beside) => ({
  _format_version: '3.0',
  issuers: beside.issuers,
  services: [{ name: 'nowhere', url: 'http://127.0.0.1:9' }, ...beside.services],
  routes: [{ name: 'generation', service: 'nowhere', paths: ['/generation'] }, ...beside.routes],
  plugins: [
    ...beside.plugins,
    {
      name: 'request-termination',
      route: 'generation',
      config: { status_code: 200, content_type: 'text/plain', body: `generation ${generation}` },
    },
  ],
});

/** One writer of whole configurations, each with a number that the edges answer with. */
export class ConfigLoad {
  readonly #admin: string;
  readonly #beside: Beside;
  #generation = 0;
  /** The newest that was answered with 201. */
  #accepted = 0;
  /** Sent after it, and answered by nobody: each may or may not be stored. */
  #unknown: number[] = [];

  constructor(admin: string, beside: Beside) {
    this.#admin = admin;
    this.#beside = beside;
  }

  get sent(): number {
    return this.#generation;
  }

  /** @returns true when it was accepted. */
  async post(): Promise<boolean> {
    this.#generation += 1;
    const generation = this.#generation;
    this.#unknown.push(generation);
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(documentOf(generation, this.#beside));
    try {
      const { status } = await callWithin(this.#admin, '/config', { method: 'POST', headers, body });
      if (status !== 201) return false;
    } catch {
      return false;
    }
    this.#accepted = generation;
    this.#unknown = this.#unknown.filter((sent) => sent > generation);
    return true;
  }

  /** A generation that may be live now: no accepted one is lost, none comes back. */
  mayBe(generation: number): boolean {
    return generation === this.#accepted || this.#unknown.includes(generation);
  }

  get wanted(): string {
    return [this.#accepted, ...this.#unknown].join(' or ');
  }
}

/** The number an edge answers with; an answer of another kind throws. */
export const generationAt = async (edge: string): Promise<number> => {
  const { status, text } = await callWithin(edge, '/generation');
  const [, number] = /^generation (\d+)$/.exec(text) ?? [];
  if (status !== 200 || number === undefined) throw new Error(`${status} ${text.slice(0, 80)}`);
  return Number(number);
};

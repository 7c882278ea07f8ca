import { Agent, request } from 'node:http';

/** One answer: when it was asked for (ms, monotonic), how long it took (ms), its status (0: none), told to wait. */
export interface Sample {
  readonly at: number;
  readonly tookMs: number;
  readonly status: number;
  readonly hasRetryAfter: boolean;
}

export interface Sampled {
  readonly port: number;
  readonly path: string;
  /** Headers of the requests, one after the other. */
  readonly headers: readonly Readonly<Record<string, string>>[];
  readonly perSecond: number;
}

const ask = (agent: Agent, { port, path }: Sampled, headers: Sampled['headers'][number]): Promise<Sample> => {
  const at = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, hasRetryAfter = false) =>
      resolve({ at, tookMs: performance.now() - at, status, hasRetryAfter });
    const outgoing = request({ agent, host: '127.0.0.1', port, path, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => done(answer.statusCode ?? 0, answer.headers['retry-after'] !== undefined));
      answer.once('error', () => done(0));
    });
    outgoing.once('error', () => done(0));
    outgoing.end();
  });
};

/** A few requests among many, by a client that waits for none before it sends the next: what a client sees. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #underWay = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(of: Sampled) {
    let next = 0;
    this.#timer = setInterval(() => {
      next = (next + 1) % of.headers.length;
      const one = ask(this.#agent, of, of.headers[next] ?? {}).then((sample) => {
        this.samples.push(sample);
        this.#underWay.delete(one);
      });
      this.#underWay.add(one);
    }, 1000 / of.perSecond);
  }

  /** Those that were asked for in this time. */
  between(from: number, to: number): readonly Sample[] {
    return this.samples.filter(({ at }) => at >= from && at < to);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }
}

import { Agent, request } from 'node:http';

/** One answer of the load: when it was asked (Unix ms), how long it took (ms), and its status; 0: none came. */
export interface Sample {
  readonly at: number;
  readonly tookMs: number;
  readonly status: number;
}

/** One request on a kept connection; never rejects. */
export const ask = (agent: Agent, origin: string, path: string): Promise<Sample> => {
  const at = Date.now();
  const begun = performance.now();
  return new Promise((resolve) => {
    const done = (status: number) => resolve({ at, tookMs: performance.now() - begun, status });
    const { hostname, port } = new URL(origin);
    const outgoing = request({ agent, hostname, port, path }, (answer) => {
      answer.resume();
      answer.once('end', () => done(answer.statusCode ?? 0));
      answer.once('error', () => done(0));
    });
    outgoing.once('error', () => done(0));
    outgoing.end();
  });
};

/** Asks each origin for the path `perSecond` times a second until stopped; late answers do not slow it down. */
export const startLoad = (origins: readonly string[], path: string, perSecond: number) => {
  const agent = new Agent({ keepAlive: true });
  const samples: Sample[] = [];
  const under = new Set<Promise<void>>();
  const timer = setInterval(() => {
    for (const origin of origins) {
      const one = ask(agent, origin, path).then((sample) => {
        samples.push(sample);
        under.delete(one);
      });
      under.add(one);
    }
  }, 1000 / perSecond);
  return {
    samples,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(under);
      agent.destroy();
    },
  };
};

/** The value below which a share of all lies; NaN of nothing. */
export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;

import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { SCENES, type Scene } from './scenes.ts';

const TICK_MS = 100;
/** A gateway that does not keep up gets no more than this at once. */
const MAX_IN_FLIGHT = 32;
const TIMEOUT_MS = 5000;
/** So long what is under way at the end may take. */
const LONGER_MS = 30_000;

export interface Answered {
  readonly scene: Scene;
  readonly status: number;
  /** `X-Kong-Request-Id`. */
  readonly id: string;
}

export interface TrafficOptions {
  readonly proxy: string;
  /** Requests a second, of all tenants together. */
  readonly rate: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly onAnswer: (answered: Answered) => void;
  /** Told which part of the time is over, several times a second. */
  readonly onTime: (part: number) => Promise<void> | undefined;
  /** Asked as often; what is not over then goes on for `LONGER_MS` at most. */
  readonly isOver: (part: number) => boolean;
}

/** Sends every tenant's share evenly over the time; what cannot be sent in time is left out. */
export const driveTraffic = async (options: TrafficOptions): Promise<void> => {
  const { seconds, rate, signal, onTime, isOver } = options;
  const agent = new Agent({ keepAlive: false, maxSockets: MAX_IN_FLIGHT }); // each connection may meet another edge
  const underWay = new Set<Promise<void>>();
  const due = new Map<Scene, number>(Object.values(SCENES).map((scene) => [scene, 0]));
  const startedAt = performance.now();
  let last = startedAt;
  for (;;) {
    const now = performance.now();
    const part = (now - startedAt) / (seconds * 1000);
    if (isOver(part) || signal.aborted || now - startedAt > seconds * 1000 + LONGER_MS) break;
    await onTime(part);
    for (const [scene, waiting] of due) {
      let left = waiting + (rate * scene.share * (now - last)) / 1000;
      for (; left >= 1 && underWay.size < MAX_IN_FLIGHT; left -= 1) {
        const sent = askOnce(agent, scene, options).finally(() => underWay.delete(sent));
        underWay.add(sent);
      }
      due.set(scene, Math.min(left, 1));
    }
    last = now;
    await delay(TICK_MS, undefined, { signal }).catch(() => undefined); // stopped: the loop ends
  }
  await Promise.all(underWay);
  agent.destroy();
};

const askOnce = (agent: Agent, scene: Scene, { proxy, onAnswer }: TrafficOptions): Promise<void> =>
  new Promise((resolve) => {
    const headers = { 'x-tenant-id': scene.tenant, 'user-agent': 'sluice-demo' };
    const asked = request(`${proxy}/${scene.route}/items?page=1`, { agent, headers, timeout: TIMEOUT_MS });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve()); // the gateway is gone: its absence shows in the sums
    asked.once('response', (response) => {
      response.resume();
      const id = response.headers['x-kong-request-id'];
      onAnswer({ scene, status: response.statusCode ?? 0, id: typeof id === 'string' ? id : '' });
      response.once('close', () => resolve());
    });
    asked.end();
  });

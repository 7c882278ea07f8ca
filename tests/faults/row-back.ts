import { setTimeout as sleep } from 'node:timers/promises';
import { call, eventually } from '@sluice/testkit';
import { percentile } from '../../bench/light-load.ts';
import { RunningGateway } from '../gateway.ts';

const BACK_WITHIN_MS = 1000;
const GIVE_UP_MS = 30_000;
/** A process that was ready for so long is started again without a longer pause than the first. */
const STEADY_MS = 1500;

export interface BackRun {
  readonly kills: number;
  readonly say: (line: string) => void;
}

const answers = async (origin: string): Promise<boolean> => {
  try {
    return (await call(origin, '/')).status === 200;
  } catch {
    return false; // nobody listens
  }
};

/**
 * O4, the second half: the only edge is killed, again and again. Told is how long it takes from its death until a
 * request is answered.
 * @returns kills after which it took longer than it may.
 */
export const backRow = async ({ kills, say }: BackRun): Promise<readonly string[]> => {
  await using gateway = await RunningGateway.start(['--no-demo', '--config', 'none', '--edges', '1']);
  const document = {
    _format_version: '3.0',
    services: [{ name: 'nowhere', url: 'http://127.0.0.1:9', routes: [{ name: 'all', paths: ['/'] }] }],
    plugins: [{ name: 'request-termination', config: { status_code: 200, message: 'here' } }],
  };
  const { proxy } = gateway.ready;
  const headers = { 'content-type': 'application/json' };
  await gateway.admin('/config', { method: 'POST', headers, body: JSON.stringify(document) });
  await eventually(() => answers(proxy));
  const tookMs: number[] = [];
  for (let n = 0; n < kills; n++) {
    await sleep(STEADY_MS);
    const before = gateway.restarted.length;
    process.kill(gateway.restarted.at(-1)?.pid ?? gateway.ready.pids['edge-proxy'][0] ?? 0, 'SIGKILL');
    const killedAt = performance.now();
    while (!(await answers(proxy)) && performance.now() - killedAt < GIVE_UP_MS) await sleep(2);
    tookMs.push(performance.now() - killedAt);
    await eventually(() => gateway.restarted.length > before, GIVE_UP_MS);
  }
  const at = (share: number) => `${Math.round(percentile(tookMs, share))} ms`;
  say(`O4 an edge killed ${kills} times answers again after p50 ${at(0.5)}, max ${at(1)}`);
  return tookMs.filter((ms) => ms > BACK_WITHIN_MS).map((ms) => `it took ${Math.round(ms)} ms`);
};

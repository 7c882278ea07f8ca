import { setTimeout as delay } from 'node:timers/promises';
import { ask } from '../ask.ts';

const WITHIN_MS = 15_000;
const POLL_MS = 20;
const ANSWER_WITHIN_MS = 2_000;

/** The configuration version an edge serves; undefined when it does not tell. */
const servedVersion = async (statusUrl: string): Promise<number | undefined> => {
  const { text } = await ask(`${statusUrl}/metrics`, { timeoutMs: ANSWER_WITHIN_MS });
  const version = /^sluice_config_version(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1];
  return version === undefined ? undefined : Number(version);
};

/**
 * Waits until an edge serves this version or a later one. The registry counts only the edges it has heard of, and
 * an edge that starts at the same moment is not yet one of them.
 * @throws Error when it still serves an older one after 15 s.
 */
export const untilApplied = async (statusUrl: string, version: number): Promise<void> => {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const served = await servedVersion(statusUrl).catch(() => 0); // busy starting: asked again
    if (served === undefined || served >= version) return;
    if (performance.now() > deadline)
      throw new Error(`the edge at ${statusUrl} serves configuration r${served}, not r${version}`);
    await delay(POLL_MS);
  }
};

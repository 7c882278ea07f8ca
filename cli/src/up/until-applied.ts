import { setTimeout as delay } from 'node:timers/promises';
import { ask } from '../ask.ts';

const WITHIN_MS = 15_000;
const POLL_MS = 20;
const ANSWER_WITHIN_MS = 2_000;

/** A figure of a process without labels; undefined when it has none of that name. */
const figureOf = async (statusUrl: string, name: string): Promise<number | undefined> => {
  const { text } = await ask(`${statusUrl}/metrics`, { timeoutMs: ANSWER_WITHIN_MS });
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
};

/** @returns what the figure still was after 15 s, undefined when it got there (or is not told). */
const untilAtLeast = async (statusUrl: string, name: string, wanted: number): Promise<number | undefined> => {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const figure = await figureOf(statusUrl, name).catch(() => 0); // busy starting: asked again
    if (figure === undefined || figure >= wanted) return undefined;
    if (performance.now() > deadline) return figure;
    await delay(POLL_MS);
  }
};

/**
 * Waits until an edge serves this version or a later one. The registry counts only the edges it has heard of, and
 * an edge that starts at the same moment is not yet one of them.
 * @throws Error when it still serves an older one after 15 s.
 */
export const untilApplied = async (statusUrl: string, version: number): Promise<void> => {
  const served = await untilAtLeast(statusUrl, 'sluice_config_version', version);
  if (served !== undefined)
    throw new Error(`the edge at ${statusUrl} serves configuration r${served}, not r${version}`);
};

/**
 * Waits until the registry has heard of so many edges: from then on its answers wait for them.
 * @throws Error when it still knows fewer after 15 s.
 */
export const untilKnown = async (statusUrl: string, edges: number): Promise<void> => {
  const known = await untilAtLeast(statusUrl, 'sluice_live_edges', edges);
  if (known !== undefined) throw new Error(`the config-registry heard of ${known} edges, not of ${edges}`);
};

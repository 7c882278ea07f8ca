import { PERIODS, type Period, type WindowState } from '@sluice/contracts';
import type { HeaderList } from './exchange.ts';

const HEADERS = Object.fromEntries(
  PERIODS.map((period) => {
    const suffix = `${period[0]?.toUpperCase()}${period.slice(1)}`;
    return [period, { limit: `X-RateLimit-Limit-${suffix}`, remaining: `X-RateLimit-Remaining-${suffix}` }];
  }),
) as Record<Period, { readonly limit: string; readonly remaining: string }>;
// The second family is the one that the platform's browsers are allowed to read.
const FAMILIES = ['RateLimit', 'X-RateLimit'].map((family) => ({
  limit: `${family}-Limit`,
  remaining: `${family}-Remaining`,
  reset: `${family}-Reset`,
}));

/** Whole seconds until the window ends, at least 1. */
export const resetSeconds = ({ resetMs }: WindowState): number => Math.max(1, Math.ceil(resetMs / 1000));
const remainingOf = ({ remaining }: WindowState): number => Math.max(0, remaining);
const rank = ({ period }: WindowState): number => PERIODS.indexOf(period);

/** The window with the least left; of equals the longest. */
export const tightestOf = (windows: readonly WindowState[]): WindowState | undefined => {
  let tightest: WindowState | undefined;
  for (const window of windows) {
    const more = tightest === undefined ? -1 : remainingOf(window) - remainingOf(tightest);
    if (more < 0 || (more === 0 && tightest !== undefined && rank(window) > rank(tightest)))
      tightest = window;
  }
  return tightest;
};

/** Sets the headers of every window and of the tightest one, and returns that one. */
export const showWindows = (
  headers: HeaderList,
  windows: readonly WindowState[],
): WindowState | undefined => {
  for (const window of windows) {
    const names = HEADERS[window.period];
    headers.set(names.limit, `${window.limit}`);
    headers.set(names.remaining, `${remainingOf(window)}`);
  }
  const tightest = tightestOf(windows);
  if (tightest === undefined) return undefined;
  for (const names of FAMILIES) {
    headers.set(names.limit, `${tightest.limit}`);
    headers.set(names.remaining, `${remainingOf(tightest)}`);
    headers.set(names.reset, `${resetSeconds(tightest)}`);
  }
  return tightest;
};

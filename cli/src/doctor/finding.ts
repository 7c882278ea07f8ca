/** What one look found. */
export interface Finding {
  readonly check: string;
  /** `warning`: requests are served, but somebody should look; `failed`: a part is gone. */
  readonly state: 'ok' | 'warning' | 'failed';
  readonly says: string;
  readonly remedy?: string;
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says });
export const warning = (check: string, says: string, remedy: string): Finding => ({
  ...{ check, state: 'warning', says, remedy },
});
export const failed = (check: string, says: string, remedy: string): Finding => ({
  ...{ check, state: 'failed', says, remedy },
});

/** Clocks of a fleet within it count as the same, in ms: windows of limits and lifetimes of tokens bear that much. */
const MAX_SKEW_MS = 1000;

/** How far a clock is from ours. `uncertainMs`: how long the question took, and what its form rounds away. */
export const judgeClock = (
  check: string,
  theirs: number,
  { ours, uncertainMs }: { ours: number; uncertainMs: number },
): Finding => {
  const skewMs = Math.max(0, Math.abs(theirs - ours) - uncertainMs);
  const says = `differs by ${skewMs < 1 ? 'nothing' : `${Math.round(skewMs)} ms`} from this machine`;
  return skewMs <= MAX_SKEW_MS
    ? ok(check, says)
    : warning(check, says, 'set both clocks by NTP: windows of limits and lifetimes of tokens follow them');
};

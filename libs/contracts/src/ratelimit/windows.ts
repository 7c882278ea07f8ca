import { z } from 'zod';

/** Kong's calendar periods, shortest first. Windows are aligned to UTC and measured by Redis's clock. */
export const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const;
export type Period = (typeof PERIODS)[number];

export const limit = z.object({ period: z.enum(PERIODS), limit: z.number().positive() });
export type Limit = z.output<typeof limit>;

export const windowState = z.object({
  period: z.enum(PERIODS),
  limit: z.number().positive(),
  /** What is left after this decision, never negative. */
  remaining: z.number().nonnegative(),
  /** Time left in the window, not an instant: clocks differ between hosts. */
  resetMs: z.int().nonnegative(),
});
export type WindowState = z.output<typeof windowState>;

/**
 * Whose budget it is, in Kong's key form: `ratelimit:<route or nil uuid>:<service or nil uuid>:<identifier>`.
 * Each window's counter adds `:<window start in ms>:<period>`.
 */
export const budgetKey = z.string().min(1).max(1024);

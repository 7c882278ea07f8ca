import { gauge, type Registry } from '@sluice/service-kit';
import { TallyCounter } from '../observe/tally.ts';
import type { Settings } from '../settings.ts';
import { RetryBudget } from './retry-budget.ts';
import { TargetBreaker } from './target-breaker.ts';

/** What keeps upstreams that fail from being asked more than they would be if they did not. */
export interface Guards {
  readonly retryBudget: RetryBudget;
  readonly targetBreaker: TargetBreaker;
}

/** The guards as the settings want them, with their metrics. */
export const openGuards = (
  settings: Pick<Settings, 'RETRY_BUDGET_PERCENT' | 'TARGET_BREAKER_FAILURES'>,
  registry: Registry,
): Guards => {
  const retries = new TallyCounter<'outcome'>(
    registry,
    'sluice_upstream_retries_total',
    'Requests repeated after a failed attempt, and those that the retry budget did not allow to be',
  );
  const skipped = new TallyCounter<never>(
    registry,
    'sluice_target_breaker_skipped_total',
    'Attempts not made because their target failed too often in a row',
  ).series({});
  const { RETRY_BUDGET_PERCENT: percent } = settings;
  const retryBudget = new RetryBudget({
    share: percent === 'off' ? undefined : percent / 100,
    made: retries.series({ outcome: 'made' }),
    refused: retries.series({ outcome: 'refused' }),
  });
  const targetBreaker = new TargetBreaker(settings.TARGET_BREAKER_FAILURES, skipped);
  gauge(
    registry,
    'sluice_target_breaker_open',
    'Targets that are left alone because they failed too often in a row',
    [] as const,
    (g) => g.set(targetBreaker.open),
  );
  return { retryBudget, targetBreaker };
};

import { GatewayError, type PromptFlag, type QuotaState } from '@sluice/contracts';
import type { AuthVerdict, BudgetVerdict } from '@sluice/plugins';
import type { ProxyExchange } from '../exchange.ts';

/**
 * What the ports answered is left on the exchange, for its decision record. An answer that is known at once costs
 * some stores and nothing else; one that is waited for is timed, too.
 */
type Judged = AuthVerdict | GatewayError;
type Quota = QuotaState | null | undefined;

/** Notes who the auth process, or the edge's memory of it, took a credential for. */
export const noteAuth = (
  exchange: ProxyExchange,
  answer: Promise<Judged> | AuthVerdict,
): Promise<Judged> | AuthVerdict => {
  exchange.authBy = exchange.running;
  if (!(answer instanceof Promise)) {
    keepAuth(exchange, answer, 'cache', 0);
    return answer;
  }
  const askedAt = performance.now();
  return answer.then((verdict) => {
    keepAuth(exchange, verdict, 'service', performance.now() - askedAt);
    return verdict;
  });
};

const keepAuth = (
  exchange: ProxyExchange,
  verdict: Judged,
  source: 'cache' | 'service',
  tookMs: number,
): void => {
  if (verdict instanceof GatewayError) {
    exchange.authReason = verdict.code;
    exchange.isAuthDegraded = true;
  } else exchange.authReason = verdict.outcome === 'deny' ? verdict.reason : undefined;
  exchange.authSource = source;
  exchange.authMs = tookMs;
};

/** Notes what was spent of which budget. Of several budgets the last one is kept. */
export const noteBudget = (
  exchange: ProxyExchange,
  key: string,
  answer: Promise<BudgetVerdict> | BudgetVerdict,
): Promise<BudgetVerdict> | BudgetVerdict => {
  exchange.limitBy = exchange.running;
  exchange.limitKey = key;
  if (!(answer instanceof Promise)) return keepBudget(exchange, answer, 0);
  const askedAt = performance.now();
  return answer.then((verdict) => keepBudget(exchange, verdict, performance.now() - askedAt));
};

const keepBudget = (exchange: ProxyExchange, verdict: BudgetVerdict, tookMs: number): BudgetVerdict => {
  exchange.limitVerdict = verdict;
  exchange.limitMs = tookMs;
  return verdict;
};

/** Notes what was known of a quota. */
export const noteQuota = (
  exchange: ProxyExchange,
  key: string,
  answer: Promise<Quota> | Quota,
): Promise<Quota> | Quota => {
  exchange.quotaBy = exchange.running;
  exchange.quotaKey = key;
  if (!(answer instanceof Promise)) return keepQuota(exchange, answer, 'cache', 0);
  const askedAt = performance.now();
  return answer.then((state) => keepQuota(exchange, state, 'service', performance.now() - askedAt));
};

const keepQuota = (
  exchange: ProxyExchange,
  state: Quota,
  source: 'cache' | 'service',
  tookMs: number,
): Quota => {
  exchange.quotaState = state;
  exchange.quotaSource = source;
  exchange.quotaMs = tookMs;
  return state;
};

/** Notes what a guard saw in the request. */
export const noteFlag = (exchange: ProxyExchange, finding: PromptFlag): void => {
  const { running } = exchange;
  if (running === undefined) return;
  exchange.flagged ??= new Map();
  exchange.flagged.set(running.entity.id, finding);
};

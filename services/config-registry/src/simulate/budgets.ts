import type { DecisionRecord, Limit, Period } from '@sluice/contracts';
import { NotRecorded } from './recorded-headers.ts';

/** What was spent of a budget in one window of one period. */
interface Counted {
  /** Used when the first record came; undefined: not known yet. */
  base: number | undefined;
  /** Requests that spent, as recorded and as predicted. */
  recorded: number;
  predicted: number;
}

export interface Spending {
  readonly record: DecisionRecord;
  readonly key: string;
  readonly limits: readonly Limit[];
  /** The same policy was in force, with the same configuration. */
  readonly isUnchanged: boolean;
  /** Periods of the policy in force that counted under this key. */
  readonly before: ReadonlySet<Period>;
}

/**
 * Counts anew what recorded requests would have spent, in the calendar windows of Kong. What was used before the
 * records begin is read off the first verdict of a window; a budget that nobody counted before begins with nothing.
 * As long as the same requests reach a policy that did not change, its recorded verdicts stand: where edges spend
 * from leases, these are better than a sum. Requests that another version of the configuration served are counted
 * apart: what that one let through is in the first verdict of the next.
 */
export class Budgets {
  readonly #windows = new Map<string, Counted>();
  /** Keys under which other requests counted than were recorded. */
  readonly #disturbed = new Set<string>();
  /** Requests of which it is not known whether they would spend. */
  readonly #doubts: { readonly at: number; readonly version: number }[] = [];
  readonly #recordsBegin: number;

  /** @param recordsBegin Unix ms from which on every request has a record; Infinity: there are gaps. */
  constructor(recordsBegin: number) {
    this.#recordsBegin = recordsBegin;
  }

  /** @throws NotRecorded when the records do not say how much was used before. */
  spend(spending: Spending): 'allow' | 'deny' {
    const { record, key, limits, isUnchanged } = spending;
    const recorded = verdictUnder(record, key);
    const wasAllowed = recorded !== undefined && recorded.verdict === 'passed';
    if (recorded?.source === 'local' && !isUnchanged) throw new NotRecorded('a count: the limiter was away');
    const follows = isUnchanged && recorded !== undefined && !this.#disturbed.has(eraOf(record, key));
    const counts = limits.map((limit) => ({ limit, counted: this.#countedFor(spending, limit, follows) }));
    const isAllowed = follows ? wasAllowed : this.#fits(record, counts);
    for (const { counted } of counts) {
      if (wasAllowed) counted.recorded += 1;
      if (isAllowed) counted.predicted += 1;
    }
    if (isAllowed !== wasAllowed) this.#disturbed.add(eraOf(record, key));
    return isAllowed ? 'allow' : 'deny';
  }

  /** A request that was counted under a key, and would not have been. */
  leaveOut(record: DecisionRecord, key: string): void {
    this.#disturbed.add(eraOf(record, key));
    const verdict = verdictUnder(record, key);
    for (const { period } of verdict?.windows ?? []) {
      const counted = this.#windowOf(record, key, period);
      if (verdict?.verdict === 'passed') counted.recorded += 1;
    }
  }

  /** A request of which nobody can tell what would have become of it. */
  doubt(record: DecisionRecord): void {
    this.#doubts.push(record);
    for (const { bucket, windows } of record.plugins)
      if (bucket !== undefined && windows !== undefined) this.#disturbed.add(eraOf(record, bucket));
  }

  /** @throws NotRecorded where it hangs on the requests in doubt. */
  #fits(record: DecisionRecord, counts: readonly { limit: Limit; counted: Counted }[]): boolean {
    let isSure = true;
    for (const { limit, counted } of counts) {
      const used = (counted.base ?? 0) + counted.predicted;
      if (used + 1 > limit.limit) return false;
      const start = windowStart(limit.period, record.at);
      const doubts = this.#doubts.filter(
        ({ at, version }) => at >= start && version === record.version,
      ).length;
      isSure &&= used + doubts + 1 <= limit.limit;
    }
    if (!isSure) throw new NotRecorded('a count: it hangs on requests of which nothing can be told');
    return true;
  }

  #countedFor({ record, key, before }: Spending, { period }: Limit, follows: boolean): Counted {
    const counted = this.#windowOf(record, key, period);
    if (counted.base !== undefined) return counted;
    if (!before.has(period) || windowStart(period, record.at) >= this.#recordsBegin) counted.base = 0;
    else if (!follows) throw new NotRecorded(`how much of the ${period} was used before the records begin`);
    return counted;
  }

  /** The window that a request counts in; what was used before it is read off its verdict, where that is not known. */
  #windowOf(record: DecisionRecord, key: string, period: Period): Counted {
    const name = `${eraOf(record, key)}\0${period}\0${windowStart(period, record.at)}`;
    const counted = this.#windows.get(name) ?? { base: undefined, recorded: 0, predicted: 0 };
    this.#windows.set(name, counted);
    const recorded = verdictUnder(record, key);
    const window = recorded?.windows?.find((one) => one.period === period);
    if (counted.base !== undefined || window === undefined) return counted;
    const own = recorded?.verdict === 'passed' ? 1 : 0;
    counted.base = Math.max(0, window.limit - window.remaining - own - counted.recorded);
    return counted;
  }
}

/** A budget under the configuration that served a request. */
const eraOf = ({ version }: DecisionRecord, key: string): string => `${version}\0${key}`;

/** What was said of a budget in a recorded request; undefined: it did not come that far. */
export const verdictUnder = ({ plugins }: DecisionRecord, key: string) =>
  plugins.find(({ bucket, verdict }) => bucket === key && verdict !== 'not_reached');

const LENGTH_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** Where the window of a time begins, in UTC; Unix ms. */
export const windowStart = (period: Period, at: number): number => {
  if (period === 'month' || period === 'year') {
    const date = new Date(at);
    return Date.UTC(date.getUTCFullYear(), period === 'month' ? date.getUTCMonth() : 0);
  }
  return at - (at % LENGTH_MS[period]);
};

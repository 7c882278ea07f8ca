import { percentile } from '../light-load.ts';
import { median } from '../measure/statistics.ts';
import type { Figure } from '../report/figures.ts';
import { fixed } from '../report/table.ts';

/** What the dearest forged token may take, in the median of its rounds. */
const MAX_MS = 10;
/** And so many times what a good token takes that nobody has seen, of the algorithm that is dearest. */
const MAX_TIMES_GOOD = 3;

/** What tokens are, and how a row of them begins. */
const ROLES = {
  forged: 'forged: ',
  good: 'good, unseen: ',
  /** In heads as large as they may be: no measure for tokens of the usual length. */
  large: 'good, unseen, largest legal head: ',
} as const;
export type Role = keyof typeof ROLES;

/** Tokens of one kind, and how long each was on its way each time. */
export class Kind {
  readonly title: string;
  readonly role: Role;
  readonly #byName = new Map<string, number[]>();

  constructor(title: string, role: Role) {
    this.title = title;
    this.role = role;
  }

  add(name: string, ms: number): void {
    const known = this.#byName.get(name);
    if (known === undefined) this.#byName.set(name, [ms]);
    else known.push(ms);
  }

  /** Ms of every request. */
  get all(): readonly number[] {
    return [...this.#byName.values()].flat();
  }

  /** The token that takes longest in the median of its rounds: once is chance. */
  get dearest(): { readonly name: string; readonly ms: number } {
    let dearest = { name: '', ms: 0 };
    for (const [name, ms] of this.#byName) if (median(ms) > dearest.ms) dearest = { name, ms: median(ms) };
    return dearest;
  }

  get summary() {
    const { all, title, role, dearest } = this;
    const tokens = role === 'forged' ? this.#byName.size : all.length;
    const times = { p50: percentile(all, 0.5), p99: percentile(all, 0.99), slowest: Math.max(...all) };
    return { title, role, tokens, ...times, dearest };
  }
}

export const HEAD = ['', 'tokens', 'p50 ms', 'p99 ms', 'slowest ms', 'dearest token ms'] as const;

export const cellsOf = ({ summary: { title, role, tokens, p50, p99, slowest, dearest } }: Kind) => [
  `${ROLES[role]}${title}`,
  `${tokens}`,
  ...[p50, p99, slowest].map((ms) => fixed(ms, 2)),
  role === 'forged' ? fixed(dearest.ms, 2) : '',
];

/** The dearest token of a role. */
export const dearestOf = (kinds: readonly Kind[], role: Role): { title: string; name: string; ms: number } =>
  kinds
    .filter((kind) => kind.role === role)
    .map(({ title, dearest }) => ({ title, ...dearest }))
    .reduce((one, other) => (other.ms > one.ms ? other : one), { title: '', name: '', ms: 0 });

/** What forged tokens may cost. Nothing that was measured meets nothing. */
export const budgets = (kinds: readonly Kind[]): readonly Figure[] => {
  const forged = dearestOf(kinds, 'forged').ms;
  const good = dearestOf(kinds, 'good').ms;
  const measured = forged === 0 || good === 0 ? Number.NaN : forged;
  return [
    { what: 'dearest forged token', unit: 'ms', measured, is: 'at most', demand: MAX_MS },
    {
      ...{ what: 'dearest forged token', unit: '× dearest good', measured: measured / good },
      ...{ is: 'at most', demand: MAX_TIMES_GOOD },
    },
  ];
};

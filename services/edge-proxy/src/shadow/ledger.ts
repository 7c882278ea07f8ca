import type { ShadowSkip } from '@sluice/plugins';
import { counter, gauge, type Logger, type Registry } from '@sluice/service-kit';
import type { Difference } from './compare.ts';

/** What became of a copy. */
export type CopyOutcome = 'equal' | 'different' | 'timeout' | 'unreachable' | 'broken';

/** A request whose two answers differ. */
export interface ShadowExample {
  readonly requestId: string;
  /** When the client's answer had gone out, Unix ms. */
  readonly at: number;
  readonly method: string;
  readonly differences: readonly Difference[];
}

/** What is known of the copies of one route. */
export interface RouteLedger {
  readonly route: string;
  readonly outcomes: Map<CopyOutcome, number>;
  readonly skipped: Map<ShadowSkip, number>;
  /** Answers whose bodies were both too large to be compared. */
  uncompared: number;
  /** The newest, the oldest of them first. */
  readonly examples: ShadowExample[];
}

/** Routes with figures of their own; those beyond are counted together. */
const MAX_ROUTES = 1000;
const OTHERS = 'others';
const MAX_EXAMPLES = 20;
/** Differences that are logged in a second; all are counted. */
const LINES_PER_SECOND = 10;

/** Counts what became of copies and keeps the newest differences, without anything of what was said in an answer. */
export class ShadowLedger {
  readonly since = Date.now();
  readonly #routes = new Map<string, RouteLedger>();
  readonly #copies;
  readonly #differences;
  readonly #skipped;
  readonly #uncompared;
  readonly #logger: Logger;
  #linesOf = 0;
  #linesLeft = LINES_PER_SECOND;

  constructor(registry: Registry, logger: Logger, underWay: () => number) {
    this.#logger = logger;
    this.#copies = counter(
      registry,
      'sluice_shadow_copies_total',
      'Requests that were copied to a second gateway, by what came of comparing the answers',
      ['route', 'outcome'] as const,
    );
    this.#differences = counter(
      registry,
      'sluice_shadow_differences_total',
      'Differences between answers of this gateway and of a second one, by what differs',
      ['route', 'kind'] as const,
    );
    this.#skipped = counter(
      registry,
      'sluice_shadow_skipped_total',
      'Requests that were not copied to a second gateway though their plugin wanted it, by reason',
      ['route', 'reason'] as const,
    );
    this.#uncompared = counter(
      registry,
      'sluice_shadow_uncompared_bodies_total',
      'Answers to copies whose bodies were too large to be compared',
      ['route'] as const,
    );
    gauge(registry, 'sluice_shadow_copies_under_way', 'Copies whose answer is awaited', [] as const, (g) =>
      g.set(underWay()),
    );
  }

  /** Those that were copied, or should have been. */
  get routes(): Iterable<RouteLedger> {
    return this.#routes.values();
  }

  skipped(route: string, reason: ShadowSkip): void {
    const ledger = this.#of(route);
    ledger.skipped.set(reason, (ledger.skipped.get(reason) ?? 0) + 1);
    this.#skipped.inc({ route: ledger.route, reason });
  }

  ended(route: string, outcome: CopyOutcome): void {
    const ledger = this.#of(route);
    ledger.outcomes.set(outcome, (ledger.outcomes.get(outcome) ?? 0) + 1);
    this.#copies.inc({ route: ledger.route, outcome });
  }

  bodyTooLarge(route: string): void {
    const ledger = this.#of(route);
    ledger.uncompared += 1;
    this.#uncompared.inc({ route: ledger.route });
  }

  differed(route: string, example: ShadowExample): void {
    const ledger = this.#of(route);
    ledger.examples.push(example);
    if (ledger.examples.length > MAX_EXAMPLES) ledger.examples.shift();
    for (const kind of new Set(example.differences.map((difference) => difference.kind)))
      this.#differences.inc({ route: ledger.route, kind });
    if (!this.#mayLog(example.at)) return;
    const { requestId: request_id, method, differences } = example;
    this.#logger.info({ request_id, route: ledger.route, method, differences }, 'answers differ');
  }

  #of(route: string): RouteLedger {
    const isKnown = this.#routes.has(route) || this.#routes.size < MAX_ROUTES;
    const name = isKnown ? route : OTHERS;
    let ledger = this.#routes.get(name);
    if (ledger === undefined) {
      ledger = { route: name, outcomes: new Map(), skipped: new Map(), uncompared: 0, examples: [] };
      this.#routes.set(name, ledger);
    }
    return ledger;
  }

  #mayLog(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#linesOf) [this.#linesOf, this.#linesLeft] = [second, LINES_PER_SECOND];
    this.#linesLeft -= 1;
    return this.#linesLeft >= 0;
  }
}

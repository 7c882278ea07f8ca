import type { GatewayWorld } from './gateway-world.ts';
import type { Part } from './schedule.ts';

/** What one guarantee is asked for under faults, and judged by. */
export interface RowLoad {
  /** Pieces of work to be repeated at an edge that is not hurt, while these parts are. */
  clientsOf(edge: string, hurt: ReadonlySet<Part>): readonly (() => Promise<void>)[];
  /** What was not as promised since this was asked last. */
  takeViolations(): readonly string[];
  /** Resolves when it is all as without faults on every edge. @throws Error that says what is not. */
  recovered(edges: GatewayWorld['edges']): Promise<void>;
  /** What was seen, for people. */
  readonly figures: string;
}

/** Decisions of an edge that were seen to be made without a service, by edge. */
export class SeenFallbacks {
  readonly #seen = new Map<string, number>();

  add(edge: string): void {
    this.#seen.set(edge, this.at(edge) + 1);
  }

  at(edge: string): number {
    return this.#seen.get(edge) ?? 0;
  }
}

/** Counts by name, in the order in which they were first seen. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get text(): string {
    return [...this.#counts].map(([name, count]) => `${count} ${name}`).join(', ');
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, eventually } from '@sluice/testkit';
import { callWithin } from './config-load.ts';
import { BUDGET_HEADER, LIMIT } from './decision-world.ts';
import type { GatewayWorld } from './gateway-world.ts';
import { type RowLoad, SeenFallbacks, Tally } from './row-load.ts';

const PATH = '/limited';
const RECOVERS_WITHIN_MS = 30_000;
/** Of the load's requests so many have the same budget: it is used up, and asked for a while longer. */
const OF_A_BUDGET = 3 * LIMIT;
/** At the first edge more than its share of the limit, and so many after it at the second that both are too many. */
const AT_FIRST_EDGE = LIMIT - 3;
const AT_SECOND_EDGE = 6;
/** At a time, of each edge: five waits in vain in a row open its breaker. */
const CLIENTS = 2;
const DAY_MS = 86_400_000;
/** The window is a day: what begins so near its end waits for the next. */
const NEAR_THE_END_MS = 90_000;

/** Who decided: the limiter, or the edge in its place. */
const isAlone = ({ headers }: Answer): boolean => headers['x-sluice-degraded'] !== undefined;

interface Admitted {
  byLimiter: number;
  readonly alone: Map<string, number>;
}

/**
 * D2, D3: a limited route answers 200 or 429 whatever is away; the limiter itself never admits more than the limit,
 * no edge alone more than the limit, and every answer says who decided.
 */
export class LimitLoad implements RowLoad {
  readonly fallbacks = new SeenFallbacks();
  readonly tally = new Tally();
  readonly #run = crypto.randomUUID().slice(0, 8);
  readonly #admitted = new Map<string, Admitted>();
  #violations: string[] = [];
  #asked = 0;
  #fresh = 0;

  clientsOf(edge: string): readonly (() => Promise<void>)[] {
    return Array.from({ length: CLIENTS }, () => () => this.#askNext(edge));
  }

  takeViolations(): readonly string[] {
    const taken = this.#violations;
    this.#violations = [];
    return taken;
  }

  get figures(): string {
    return `limits: ${this.tally.text}`;
  }

  /** Resolves when no window ends for a while. */
  async awayFromWindowEnd(): Promise<void> {
    const leftMs = DAY_MS - (Date.now() % DAY_MS);
    if (leftMs < NEAR_THE_END_MS) await sleep(leftMs + 1000);
  }

  /**
   * A new budget admits exactly its limit, counted over two edges: no share of one edge would do. Where an edge had to
   * decide alone, it is tried again; where the limiter decided everything, it has to be exact at once.
   */
  async recovered(edges: GatewayWorld['edges']): Promise<void> {
    const [first = '', second = ''] = edges.map(({ url }) => url);
    await eventually(async () => {
      this.#fresh += 1;
      const budget = `${this.#run}-fresh-${this.#fresh}`;
      const answers = [
        ...(await this.#askTimes(first, budget, AT_FIRST_EDGE)),
        ...(await this.#askTimes(second, budget, AT_SECOND_EDGE)),
      ];
      const alone = answers.filter(isAlone).length;
      if (alone > 0) throw new Error(`${alone} of ${answers.length} checks were decided by an edge alone`);
      const admitted = answers.filter(({ status }) => status === 200).length;
      if (admitted !== LIMIT)
        this.#violations.push(`${admitted} of a new budget of ${LIMIT} were admitted by the limiter`);
    }, RECOVERS_WITHIN_MS);
  }

  #askTimes(edge: string, budget: string, times: number): Promise<Answer[]> {
    return Promise.all(Array.from({ length: times }, () => this.#ask(edge, budget)));
  }

  async #askNext(edge: string): Promise<void> {
    const budget = `${this.#run}-${Math.floor(this.#asked++ / OF_A_BUDGET)}`;
    try {
      await this.#ask(edge, budget);
    } catch (error) {
      this.#violations.push(`${edge}: ${error}`);
    }
  }

  async #ask(edge: string, budget: string): Promise<Answer> {
    const answer = await callWithin(edge, PATH, { headers: { [BUDGET_HEADER]: budget } });
    this.#judge(edge, budget, answer);
    return answer;
  }

  #judge(edge: string, budget: string, answer: Answer): void {
    const { status, headers, text } = answer;
    const alone = isAlone(answer);
    if (alone) this.fallbacks.add(edge);
    const what = { 200: 'admitted', 429: 'refused' }[status] ?? `${status}`;
    this.tally.add(alone ? `${what} by an edge alone` : what);
    if (status !== 200 && status !== 429) this.#violations.push(`${edge}: ${status} ${text.slice(0, 80)}`);
    else if (!alone && headers['ratelimit-limit'] !== `${LIMIT}`)
      this.#violations.push(`${edge}: ${status} with no word of who decided`);
    if (status === 200) this.#admit(edge, budget, alone);
  }

  #admit(edge: string, budget: string, alone: boolean): void {
    const admitted = this.#admitted.get(budget) ?? { byLimiter: 0, alone: new Map<string, number>() };
    this.#admitted.set(budget, admitted);
    if (!alone) admitted.byLimiter += 1;
    else admitted.alone.set(edge, (admitted.alone.get(edge) ?? 0) + 1);
    const most = Math.max(admitted.byLimiter, admitted.alone.get(edge) ?? 0);
    if (most > LIMIT)
      this.#violations.push(
        `${edge}: ${most} of a limit of ${LIMIT} by ${alone ? 'it alone' : 'the limiter'}`,
      );
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@sluice/testkit';
import { callWithin, generationAt } from './config-load.ts';
import type { GatewayWorld } from './gateway-world.ts';
import { inject } from './inject.ts';
import { judgeQuota, quotaSettled, VersionWatch } from './quota-judge.ts';
import { Publisher, QuotaModel, quotaMessages } from './quota-load.ts';
import { describePlan, type Part, type Planned, roundOf } from './schedule.ts';

const TENANTS = 60;
const PUBLISHERS = 8;
const EVENT_EVERY_MS = 4;
const CONFIG_EVERY_MS = 120;
const REQUEST_EVERY_MS = 25;
const WATCH_EVERY_MS = 10;
const CONVERGES_WITHIN_MS = 30_000;

/** What is promised, and the parts whose faults attack it. */
export const GUARANTEES = {
  'Q1 Q3 every acknowledged event counts, once': ['nats', 'redis', 'mirror', 'link mirrors'],
  'Q2 no quota goes back': ['nats', 'redis', 'mirror', 'link mirrors'],
  'Q4 poison is a dead letter once': ['nats', 'redis', 'mirror', 'link mirrors'],
  'C1 C6 edges end at an accepted configuration': ['nats', 'config-registry', 'edge', 'link config'],
  'C2 D4 D5 D6 an edge that is not hurt answers': ['nats', 'redis', 'mirror', 'config', 'link'],
  'M1 an edge that is not hurt stays ready': ['nats', 'redis', 'mirror', 'config', 'link'],
  'recovery: every process is ready again': ['nats', 'redis', 'mirror', 'config', 'edge', 'link'],
} as const satisfies Record<string, readonly string[]>;
export type Guarantee = keyof typeof GUARANTEES;

export interface Result {
  readonly guarantee: Guarantee;
  readonly faults: number;
  readonly violations: readonly string[];
}

/** Runs until told to stop; what it throws ends it and is thrown by `stop`. */
const repeating = (everyMs: number, work: () => Promise<unknown>) => {
  let isOver = false;
  const running = (async () => {
    for (; !isOver; await sleep(everyMs)) await work();
  })();
  running.catch(() => undefined);
  return async () => {
    isOver = true;
    await running;
  };
};

/** Rounds of faults under load, each followed by a comparison of the model with what is there. */
export class FaultRun {
  readonly #world: GatewayWorld;
  readonly #say: (line: string) => void;
  readonly #model = new QuotaModel();
  readonly #found = new Map<Guarantee, string[]>();
  readonly #faults = new Map<Guarantee, number>();
  readonly counts = { requests: 0, events: 0, configurations: 0, looks: 0 };

  constructor(world: GatewayWorld, say: (line: string) => void) {
    this.#world = world;
    this.#say = say;
  }

  get results(): readonly Result[] {
    return (Object.keys(GUARANTEES) as Guarantee[]).map((guarantee) => ({
      guarantee,
      faults: this.#faults.get(guarantee) ?? 0,
      violations: this.#found.get(guarantee) ?? [],
    }));
  }

  /** @param seed with the number of the round, all of its chance. */
  async rounds(count: number, seed: number, first = 1): Promise<void> {
    await using publisher = await Publisher.open(this.#world.quota.nats.url);
    const messages = quotaMessages(this.#model, TENANTS, seed);
    for (let round = first; round < first + count; round++) {
      const plan = roundOf(seed, round);
      this.#say(`round ${round}: ${describePlan(plan)}`);
      this.#count(plan);
      await this.#underLoad(plan, async () => publisher.publish(messages.next().value));
      await this.#judge();
    }
    this.counts.events = this.#model.published;
    this.counts.configurations = this.#world.config.sent;
  }

  async #underLoad(plan: readonly Planned[], publish: () => Promise<void>): Promise<void> {
    const { quota, edges, config } = this.#world;
    const hurt = new Set(plan.map(({ part }) => part));
    const tenants = Array.from({ length: TENANTS }, (_, n) => `tenant-${n}`);
    const watch = new VersionWatch(quota.outside.redis, tenants);
    const stops = [
      ...Array.from({ length: PUBLISHERS }, () => repeating(EVENT_EVERY_MS, publish)),
      repeating(CONFIG_EVERY_MS, () => config.post()),
      repeating(WATCH_EVERY_MS, () => watch.look()),
      ...edges
        .filter((_, n) => !hurt.has(`edge-${n + 1}` as Part))
        .flatMap(({ url, part }) => [
          repeating(REQUEST_EVERY_MS, () => this.#request(url)),
          repeating(REQUEST_EVERY_MS, () => this.#readiness(part.statusUrl)),
        ]),
    ];
    await Promise.all(plan.map((planned) => inject(this.#world, planned)));
    await Promise.all(stops.map((stop) => stop()));
    this.counts.looks += watch.looks;
    this.#violated('Q2 no quota goes back', watch.decreases);
  }

  async #request(url: string): Promise<void> {
    this.counts.requests += 1;
    const answer = await callWithin(url, '/generation').then(
      ({ status }) => (status === 200 ? undefined : `${url} answered ${status}`),
      (error: unknown) => `${url}: ${error}`,
    );
    if (answer !== undefined) this.#violated('C2 D4 D5 D6 an edge that is not hurt answers', [answer]);
  }

  /** A load balancer would take an edge that serves out of use. */
  async #readiness(statusUrl: string): Promise<void> {
    const answer = await callWithin(statusUrl, '/readyz').then(
      ({ status, text }) => (status === 200 ? undefined : `${statusUrl} answered ${status} ${text}`),
      (error: unknown) => `${statusUrl}: ${error}`,
    );
    if (answer !== undefined) this.#violated('M1 an edge that is not hurt stays ready', [answer]);
  }

  async #judge(): Promise<void> {
    const { quota, registry, edges } = this.#world;
    const parts = [...quota.mirrors, registry, ...edges.map(({ part }) => part)];
    await this.#tried('recovery: every process is ready again', () =>
      Promise.all(parts.map((part) => part.ready())),
    );
    await this.#tried('C1 C6 edges end at an accepted configuration', () => this.#converged());
    const { jetstream, redis } = quota.outside;
    await this.#tried('Q1 Q3 every acknowledged event counts, once', async () => {
      await quotaSettled(jetstream, redis);
      const { wrong, poison } = await judgeQuota(this.#model, jetstream, redis);
      this.#violated('Q1 Q3 every acknowledged event counts, once', wrong);
      this.#violated('Q4 poison is a dead letter once', poison);
    });
  }

  /** All edges answer with the same generation, and it is one that may be live. */
  async #converged(): Promise<void> {
    const { edges, config } = this.#world;
    await eventually(async () => {
      const live = await Promise.all(edges.map(({ url }) => generationAt(url)));
      if (new Set(live).size > 1) throw new Error(`edges differ: ${live.join(', ')}`);
      if (!config.mayBe(live[0] ?? 0)) throw new Error(`generation ${live[0]} is live, not ${config.wanted}`);
    }, CONVERGES_WITHIN_MS);
  }

  async #tried(guarantee: Guarantee, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#violated(guarantee, [(error as Error).message]);
    }
  }

  #violated(guarantee: Guarantee, what: readonly string[]): void {
    this.#found.set(guarantee, [...(this.#found.get(guarantee) ?? []), ...what]);
    for (const one of what.slice(0, 5)) this.#say(`  VIOLATED ${guarantee}: ${one}`);
  }

  #count(plan: readonly Planned[]): void {
    for (const guarantee of Object.keys(GUARANTEES) as Guarantee[]) {
      const attacks = plan.filter(({ part }) => GUARANTEES[guarantee].some((word) => part.includes(word)));
      this.#faults.set(guarantee, (this.#faults.get(guarantee) ?? 0) + attacks.length);
    }
  }
}

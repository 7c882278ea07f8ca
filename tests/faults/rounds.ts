import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@sluice/testkit';
import { callWithin, generationAt } from './config-load.ts';
import { watchFallbacks } from './fallback-watch.ts';
import type { GatewayWorld } from './gateway-world.ts';
import { inject } from './inject.ts';
import { LimitLoad } from './limit-load.ts';
import { judgeQuota, quotaSettled, VersionWatch } from './quota-judge.ts';
import { Publisher, QuotaModel, quotaMessages } from './quota-load.ts';
import type { RowLoad } from './row-load.ts';
import { describePlan, type Part, type Planned, roundOf } from './schedule.ts';
import { UpstreamLoad } from './upstream-load.ts';
import { WhoLoad } from './who-load.ts';

const TENANTS = 60;
const PUBLISHERS = 8;
const EVENT_EVERY_MS = 4;
const CONFIG_EVERY_MS = 120;
const REQUEST_EVERY_MS = 25;
const DECISION_EVERY_MS = 30;
const WATCH_EVERY_MS = 10;
const CONVERGES_WITHIN_MS = 30_000;

const SERVERS = ['nats', 'redis', 'auth', 'ratelimit'] as const;
const LINKS_TO_DECISIONS = ['link config', 'link decisions'] as const;

/** What is promised, and the parts whose faults attack it, by the beginnings of their names. */
export const GUARANTEES = {
  'Q1 Q3 every acknowledged event counts, once': ['nats', 'redis', 'quota-mirror', 'link mirrors'],
  'Q2 no quota goes back': ['nats', 'redis', 'quota-mirror', 'link mirrors'],
  'Q4 poison is a dead letter once': ['nats', 'redis', 'quota-mirror', 'link mirrors'],
  'C1 C6 edges end at an accepted configuration': ['nats', 'config-registry', 'edge', 'link config'],
  'C2 D4 D5 D6 an edge that is not hurt answers': [...SERVERS, 'quota-mirror', 'config-registry', 'link'],
  'D1 a token passes, or waits; no other ever does': ['nats', 'auth', ...LINKS_TO_DECISIONS, 'link issuer'],
  'D2 D3 limits fail open, then are exact again': [...SERVERS, ...LINKS_TO_DECISIONS, 'link limits'],
  'D7 an upstream answers its own, or 502 to 504': ['link upstream'],
  'M1 an edge that is not hurt stays ready': [...SERVERS, 'quota-mirror', 'config-registry', 'link'],
  'M1 every decision without a service is counted': [...SERVERS, ...LINKS_TO_DECISIONS, 'link limits'],
  'recovery: every process is ready again': [''],
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
  readonly who: WhoLoad;
  readonly limits = new LimitLoad();
  readonly upstreams: UpstreamLoad;
  readonly #loads: readonly (readonly [Guarantee, RowLoad])[];
  readonly counts = { requests: 0, events: 0, configurations: 0, looks: 0 };

  constructor(world: GatewayWorld, say: (line: string) => void) {
    this.#world = world;
    this.#say = say;
    this.who = new WhoLoad(world.decisions.issuer);
    this.upstreams = new UpstreamLoad(world.decisions.upstreams);
    this.#loads = [
      ['D1 a token passes, or waits; no other ever does', this.who],
      ['D2 D3 limits fail open, then are exact again', this.limits],
      ['D7 an upstream answers its own, or 502 to 504', this.upstreams],
    ];
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
      const publish = async () => publisher.publish(messages.next().value);
      await this.#underLoad(
        plan,
        Array.from({ length: PUBLISHERS }, () => repeating(EVENT_EVERY_MS, publish)),
      );
      await Promise.all([this.#judge(), this.#judgeQuotas()]);
    }
    this.counts.events = this.#model.published;
    this.counts.configurations = this.#world.config.sent;
  }

  /** A plan of one's own, beside which nobody publishes quotas. */
  async withoutQuotas(plan: readonly Planned[]): Promise<void> {
    this.#count(plan);
    await this.#underLoad(plan, []);
    await this.#judge();
  }

  async #underLoad(plan: readonly Planned[], publishers: readonly (() => Promise<void>)[]): Promise<void> {
    const { quota, edges, config } = this.#world;
    const hurt = new Set(plan.map(({ part }) => part));
    const tenants = Array.from({ length: TENANTS }, (_, n) => `tenant-${n}`);
    const watch = new VersionWatch(quota.outside.redis, tenants);
    const whole = edges.filter((_, n) => !hurt.has(`edge-${n + 1}` as Part));
    await this.limits.awayFromWindowEnd();
    const seen = { auth: this.who.fallbacks, ratelimit: this.limits.fallbacks };
    const uncounted = await watchFallbacks(whole, seen);
    const stops = [
      ...publishers,
      repeating(CONFIG_EVERY_MS, () => config.post()),
      repeating(WATCH_EVERY_MS, () => watch.look()),
      ...whole.flatMap(({ url, part }) => [
        repeating(REQUEST_EVERY_MS, () => this.#request(url)),
        repeating(REQUEST_EVERY_MS, () => this.#readiness(part.statusUrl)),
        ...this.#loads
          .flatMap(([, load]) => load.clientsOf(url, hurt))
          .map((ask) => repeating(DECISION_EVERY_MS, ask)),
      ]),
    ];
    await Promise.all(plan.map((planned) => inject(this.#world, planned)));
    await Promise.all(stops.map((stop) => stop()));
    this.counts.looks += watch.looks;
    this.#violated('Q2 no quota goes back', watch.decreases);
    this.#violated('M1 every decision without a service is counted', await uncounted());
    this.#takeViolations();
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
    const { quota, decisions, registry, edges } = this.#world;
    const { auth, ratelimit } = decisions;
    const parts = [...quota.mirrors, registry, auth, ratelimit, ...edges.map(({ part }) => part)];
    await this.#tried('recovery: every process is ready again', () =>
      Promise.all(parts.map((part) => part.ready())),
    );
    await this.#tried('C1 C6 edges end at an accepted configuration', () => this.#converged());
    await Promise.all(
      this.#loads.map(([guarantee, load]) => this.#tried(guarantee, () => load.recovered(edges))),
    );
    this.#takeViolations();
  }

  #takeViolations(): void {
    for (const [guarantee, load] of this.#loads) this.#violated(guarantee, load.takeViolations());
  }

  async #judgeQuotas(): Promise<void> {
    const { mirrors, outside } = this.#world.quota;
    const { jetstream, redis } = outside;
    await Promise.all(mirrors.map((mirror) => mirror.ready().catch(() => undefined))); // told by `#judge`
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
      const attacks = plan.filter(({ part }) =>
        GUARANTEES[guarantee].some((beginning) => part.startsWith(beginning)),
      );
      this.#faults.set(guarantee, (this.#faults.get(guarantee) ?? 0) + attacks.length);
    }
  }
}

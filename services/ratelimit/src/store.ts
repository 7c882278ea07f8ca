import { Breaker, CheckFailed, type Redis, withScriptSpan } from '@sluice/service-kit';
import { RedisClock } from './redis-clock.ts';
import { SPEND_LUA, SPEND_TOGETHER_LUA } from './spend.lua.ts';

export type Operation = 'check' | 'lease' | 'settle';
type Script = (key: string, ...args: (string | number)[]) => Promise<number[]>;
type TogetherScript = (keys: number, ...args: (string | number)[]) => Promise<unknown>;

/** The script's answer to a call that reached Redis after we had given it up; it did nothing. */
const LATE = -1;
/** Share of our patience within which Redis must begin; a later answer would not reach us in time. */
const BEGIN_WITHIN = 0.9;
/** A stall that is over by our patience and this share of it is no hang: Redis goes on being asked. */
const STALL_SHARE = 0.5;

export interface StoreOptions {
  readonly redis: Redis;
  readonly keyStyle: 'kong' | 'tagged';
  /** Longest wait for one answer, in ms. */
  readonly commandTimeoutMs: number;
  /** Where Redis is, for people; absent: host and port of the connection. */
  readonly address?: string;
  /** Our own monotonic clock, in ms. */
  readonly now?: () => number;
}

/** What the script replied, taken apart. */
export interface Spent {
  /** Tokens spent, leased or returned; 0 for a refusal. */
  readonly tokens: number;
  readonly ttlMs: number;
  /** Position of the refusing window in the question; -1 for none. */
  readonly refusedAt: number;
  /** In the order of the question. */
  readonly windows: readonly { readonly used: number; readonly resetMs: number }[];
}

/** What is asked in one call: the budgets and hashes it is about, and the script's last argument. */
export interface Together {
  readonly budgets: readonly string[];
  readonly hashes: readonly string[];
  readonly question: string;
  /** Of the answer. */
  readonly figures: number;
}

/** The script's figures as they came, and each hash: the values of the fields, no list for none; null: it is no hash. */
export interface TogetherSpent {
  readonly figures: readonly number[];
  readonly hashes: readonly (readonly (string | false)[] | null)[];
}

/**
 * How long the Redis client waits itself, of `commandTimeoutMs`: the store's bound comes first, for the client's is
 * looked at before its socket is read.
 */
export const CLIENT_WAITS = 2;

/**
 * The counters in Redis. No call waits longer than `commandTimeoutMs`, none is sent twice, and one that Redis
 * comes to only after we gave it up spends nothing: the edge has decided without it.
 */
export class CounterStore {
  readonly #options: StoreOptions;
  readonly #script: Script;
  readonly #together: TogetherScript;
  readonly #breaker: Breaker;
  readonly #clock: RedisClock;

  constructor(options: StoreOptions) {
    const { redis } = options;
    this.#options = options;
    const { commandTimeoutMs, now } = options;
    const spanMs = commandTimeoutMs * STALL_SHARE;
    this.#breaker = new Breaker({ spanMs, ...(now === undefined ? {} : { now }) });
    this.#clock = new RedisClock(options.now);
    redis.defineCommand('spendBudget', { numberOfKeys: 1, lua: SPEND_LUA });
    redis.defineCommand('spendBudgets', { lua: SPEND_TOGETHER_LUA });
    const scripted = redis as Redis & { spendBudget: Script; spendBudgets: TogetherScript };
    this.#script = (key, ...args) => scripted.spendBudget(key, ...args);
    this.#together = (keys, ...args) => scripted.spendBudgets(keys, ...args);
    redis.on('ready', () => void this.#readClock());
    if (redis.status === 'ready') void this.#readClock();
  }

  /** What is wrong with Redis now; undefined while it answers. */
  get problem(): string | undefined {
    if (this.#options.redis.status !== 'ready') return 'away';
    return this.#breaker.isOpen ? 'too slow' : undefined;
  }

  /** `host:port`, without a login. */
  get address(): string {
    const { host, port } = this.#options.redis.options;
    return this.#options.address ?? `${host}:${port}`;
  }

  /**
   * Loads the scripts, waiting for a Redis that is just starting; false when it is still away after `waitMs`.
   * Checks then fail until it comes.
   */
  async warmUp(waitMs: number): Promise<boolean> {
    const { redis } = this.#options;
    if (redis.status !== 'ready') await readyOrTimeout(redis, waitMs);
    const load = (lua: string) => this.#bounded(() => redis.script('LOAD', lua));
    return Promise.all([load(SPEND_LUA), load(SPEND_TOGETHER_LUA)]).then(
      () => true,
      () => false,
    );
  }

  /**
   * Runs the budget script once. `nowMs` replaces Redis's clock, for tests of the calendar.
   * @throws CheckFailed store_unavailable
   */
  async run(
    operation: Operation,
    budgetKey: string,
    args: readonly (string | number)[],
    nowMs?: number,
  ): Promise<Spent> {
    const key = this.#options.keyStyle === 'tagged' ? `{${budgetKey}}` : budgetKey;
    const reply = await this.#inTime(nowMs, (now, deadline) =>
      withScriptSpan(this.#options.redis, 'spend', () =>
        this.#bounded(() => this.#script(key, operation, now, deadline, ...args)),
      ),
    );
    return spentOf(reply);
  }

  /** False: in a cluster the keys of several budgets are on several nodes. */
  get canRunTogether(): boolean {
    return this.#options.keyStyle === 'kong' && !this.#options.redis.isCluster;
  }

  /**
   * Runs the script for many checks once. `nowMs` as in `run`.
   * @throws CheckFailed store_unavailable
   */
  async runTogether(
    { budgets, hashes, question, figures }: Together,
    nowMs?: number,
  ): Promise<TogetherSpent> {
    const keys = [...budgets, ...hashes];
    let read: TogetherSpent['hashes'] | undefined;
    const reply = await this.#inTime(nowMs, async (now, deadline) => {
      const texts = await this.#bounded(() => this.#together(keys.length, ...keys, now, deadline, question));
      const [told, found] = jsonsIn(texts);
      read = hashes.length === 0 ? [] : (found as TogetherSpent['hashes']);
      return isReply(told) && told[0] !== LATE && told.length !== figures ? undefined : told;
    });
    return { figures: reply, hashes: read ?? [] };
  }

  /** Asks by Redis's clock, so that what comes too late does nothing; `nowMs` replaces it. */
  async #inTime(
    nowMs: number | undefined,
    send: (now: string | number, deadline: string | number) => Promise<unknown>,
  ): Promise<number[]> {
    const call = () => {
      const deadline = this.#clock.timeIn(this.#options.commandTimeoutMs * BEGIN_WITHIN);
      return nowMs === undefined ? send('', deadline ?? '') : send(nowMs, '');
    };
    let reply = this.#checked(await call());
    if (nowMs === undefined) this.#clock.observe(reply[1] ?? 0);
    // Late, yet in time for us: Redis's clock was set forward. Nothing was spent, and now we know its time.
    if (reply[0] === LATE) reply = this.#checked(await call());
    if (reply[0] === LATE) throw unavailable('Redis came to the check too late');
    return reply;
  }

  /**
   * A hash as it stands; empty when there is none, undefined when the key holds something else.
   * @throws CheckFailed store_unavailable
   */
  async readHash(key: string): Promise<Record<string, string> | undefined> {
    try {
      return await this.#bounded(() => this.#options.redis.hgetall(key));
    } catch (error) {
      if (error instanceof CheckFailed && error.message.startsWith('WRONGTYPE')) return undefined;
      throw error;
    }
  }

  /** An answer that is not the script's belongs to another question: nothing on that connection can be believed. */
  #checked(reply: unknown): number[] {
    if (isReply(reply)) return reply;
    this.#options.redis.disconnect(true);
    throw unavailable('Redis answered what was not asked');
  }

  /**
   * The client's own timeout starts only when a command leaves, and commands wait for the batch before them:
   * the bound has to start here.
   */
  #bounded<T>(send: () => Promise<T>): Promise<T> {
    const { redis, commandTimeoutMs } = this.#options;
    if (redis.status !== 'ready') return Promise.reject(unavailable('Redis is away'));
    if (!this.#breaker.admits()) return Promise.reject(unavailable('Redis is too slow'));
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const giveUp = () => {
        if (isSettled) return;
        this.#breaker.timedOut();
        reject(unavailable(`Redis did not answer in ${commandTimeoutMs} ms`));
      };
      // After this turn's reading: what Redis said while this process was busy is an answer, and was spent.
      const timer = setTimeout(() => setImmediate(giveUp), commandTimeoutMs);
      send().then(
        (reply) => {
          isSettled = true;
          clearTimeout(timer);
          this.#breaker.succeeded();
          resolve(reply);
        },
        (error: Error) => {
          isSettled = true;
          clearTimeout(timer);
          // The client's error itself carries the command with its key, and a key may hold a credential.
          reject(unavailable(error.message));
        },
      );
    });
  }

  async #readClock(): Promise<void> {
    const time = await this.#bounded(() => this.#options.redis.time()).catch(() => undefined);
    // Without it the first reply tells the time.
    if (time !== undefined) this.#clock.observe(Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000));
  }
}

const isReply = (reply: unknown): reply is number[] => {
  if (!Array.isArray(reply) || !reply.every((figure) => typeof figure === 'number')) return false;
  const [tokens = Number.NaN, now = Number.NaN] = reply;
  return tokens >= LATE && now > 0;
};

const jsonsIn = (texts: unknown): readonly unknown[] => {
  try {
    return Array.isArray(texts) ? texts.map((text) => JSON.parse(text as string) as unknown) : [];
  } catch {
    return []; // another question's answer
  }
};

const readyOrTimeout = (redis: Redis, waitMs: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });

const unavailable = (why: string): CheckFailed => new CheckFailed('store_unavailable', why);

const spentOf = (reply: readonly number[]): Spent => {
  const [tokens = 0, , ttlMs = 0, refusing = 0, ...rest] = reply;
  const windows: { used: number; resetMs: number }[] = [];
  for (let i = 0; i < rest.length; i += 2) windows.push({ used: rest[i] ?? 0, resetMs: rest[i + 1] ?? 0 });
  return { tokens, ttlMs, refusedAt: refusing - 1, windows };
};

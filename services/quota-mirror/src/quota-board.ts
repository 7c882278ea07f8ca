import { type QuotaStanding, quotaList, STREAMS } from '@sluice/contracts';
import { type Bus, type JetStream, readStream } from '@sluice/service-kit';
import type { z } from 'zod';
import { conditionOf } from './announce-state.ts';
import { microsOf } from './instant.ts';
import { latestEvent } from './latest-values.ts';

type Asked = z.output<typeof quotaList.request>;
type Answer = z.input<typeof quotaList.reply>;

interface Reading {
  /** The largest share first, those of a period that is over last. */
  readonly tenants: readonly QuotaStanding[];
  readonly counts: Answer['counts'];
  readonly readAt: number;
}

const KEPT_MS = 2000;
/** Reading costs at most this part of the time, however many tenants there are. */
const KEPT_TIMES = 10;

/** Answers how tenants stand, from now on. */
export const answerQuotas = (bus: Bus, jetstream: JetStream, thresholdPercent: number): void => {
  const board = new QuotaBoard(jetstream, thresholdPercent);
  bus.answer(quotaList, (asked) => board.list(asked));
};

/** How all tenants stand, from the stream of last values: read when somebody asks, and kept for a moment. */
class QuotaBoard {
  readonly #jetstream: JetStream;
  readonly #thresholdPercent: number;
  #reading: Promise<Reading> | undefined;

  constructor(jetstream: JetStream, thresholdPercent: number) {
    this.#jetstream = jetstream;
    this.#thresholdPercent = thresholdPercent;
  }

  /** @throws when the stream cannot be read */
  async list({ show, search = '', offset, limit }: Asked): Promise<Answer> {
    const { tenants, counts, readAt } = await this.#read();
    const part = search.toLowerCase();
    const found = tenants.filter(
      (one) => isShown(one, show) && (part === '' || one.tenantId.toLowerCase().includes(part)),
    );
    return {
      tenants: found.slice(offset, offset + limit),
      ...{ found: found.length, counts, alertThreshold: this.#thresholdPercent, readAt },
    };
  }

  #read(): Promise<Reading> {
    if (this.#reading !== undefined) return this.#reading;
    const begun = performance.now();
    const reading = this.#readAll();
    this.#reading = reading;
    const forget = () => {
      this.#reading = undefined;
    };
    reading.then(() => {
      const keptMs = Math.max(KEPT_MS, KEPT_TIMES * (performance.now() - begun));
      setTimeout(forget, keptMs).unref();
    }, forget);
    return reading;
  }

  async #readAll(): Promise<Reading> {
    const tenants = new Map<string, QuotaStanding>();
    const readAt = Date.now();
    await readStream(this.#jetstream, STREAMS.QUOTA_LATEST.name, async (page) => {
      for (const message of page) {
        const standing = standingIn(message, readAt, this.#thresholdPercent);
        if (standing !== undefined) tenants.set(standing.tenantId, standing);
      }
    });
    const all = [...tenants.values()].sort(byUrgency);
    const countOf = (show: Asked['show']) => all.filter((one) => isShown(one, show)).length;
    return {
      tenants: all,
      counts: {
        ...{ all: all.length, alert: countOf('alert') },
        ...{ exceeded: countOf('exceeded'), stale: countOf('stale') },
      },
      readAt,
    };
  }
}

const standingIn = (
  message: Parameters<typeof latestEvent>[0],
  now: number,
  thresholdPercent: number,
): QuotaStanding | undefined => {
  const event = latestEvent(message);
  if (event === undefined) return undefined;
  const { period, reset_at: resetAt, last_updated: lastUpdated } = event.fields;
  const limit = Number(event.fields.limit);
  const used = Number(event.fields.used);
  const endsAt = microsOf(resetAt);
  return {
    ...{ tenantId: event.tenantId, limit, used, period, lastUpdated },
    share: limit > 0 ? used / limit : null,
    resetAt: resetAt === '' ? null : resetAt,
    stale: endsAt !== undefined && now * 1000 >= endsAt,
    condition: conditionOf(limit, used, thresholdPercent),
  };
};

const isShown = ({ stale, condition }: QuotaStanding, show: Asked['show']): boolean => {
  if (show === 'all') return true;
  if (show === 'stale') return stale;
  return !stale && (condition === 'exceeded' || condition === show);
};

const byUrgency = (a: QuotaStanding, b: QuotaStanding): number =>
  Number(a.stale) - Number(b.stale) || (b.share ?? 0) - (a.share ?? 0) || (a.tenantId < b.tenantId ? -1 : 1);

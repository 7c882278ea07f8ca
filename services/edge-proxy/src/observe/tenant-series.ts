import type { Registry } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import { type Count, TallyCounter } from './tally.ts';

/** Tenants without a series of their own, and requests of nobody known. */
const OTHER = '';
/** How often it is looked who has become large, in ms. */
const REVIEW_EVERY_MS = 10_000;
/** Tenants that are counted between two reviews, for each series; what comes beyond has no chance this time. */
const CANDIDATES_PER_SERIES = 20;
/** A newcomer has to be so much larger: otherwise two of equal size would take turns. */
const MARGIN = 2;

interface Tenant {
  name: string;
  readonly series: Readonly<Record<Outcome, Count>>;
  /** Since the last review. */
  recent: number;
}
type Outcome = 'forwarded' | 'refused' | 'failed';
const OUTCOMES: readonly Outcome[] = ['forwarded', 'refused', 'failed'];

/**
 * Requests by tenant, for the largest ones: never more series than were asked for, however many tenants there are,
 * and however many somebody makes up. All others are counted together under the tenant `""`. The sum over all series
 * is that of all requests, and none ever goes down while it lives: a tenant that loses its series leaves its count
 * to the others', and begins at 0 when it gets one again.
 */
export class TenantSeries {
  readonly #max: number;
  readonly #counter: TallyCounter<'tenant' | 'outcome'>;
  readonly #tenants = new Map<string, Tenant>();
  readonly #candidates = new Map<string, number>();
  readonly #other: Tenant;
  readonly #now: () => number;
  #reviewAt: number;

  /** `max`: tenants with series of their own. `now`: monotonic, in ms. */
  constructor(registry: Registry, max: number, now: () => number = () => performance.now()) {
    this.#max = max;
    this.#now = now;
    this.#reviewAt = now() + REVIEW_EVERY_MS;
    this.#counter = new TallyCounter<'tenant' | 'outcome'>(
      registry,
      'sluice_tenant_requests_total',
      'Requests by tenant, of the largest ones; all others together have the tenant ""',
    );
    this.#other = this.#open(OTHER);
  }

  /** Counts one finished request. */
  record({ identity, fromClient, errorCode, response }: ProxyExchange): void {
    const name = identity?.tenantId ?? fromClient.get('x-tenant-id') ?? OTHER;
    this.count(
      name,
      response.statusCode >= 500 ? 'failed' : errorCode === undefined ? 'forwarded' : 'refused',
    );
  }

  /** Counts one request of a tenant. */
  count(name: string, outcome: Outcome): void {
    const tenant = this.#tenants.get(name) ?? this.#candidate(name);
    tenant.recent += 1;
    tenant.series[outcome].value += 1;
  }

  #candidate(name: string): Tenant {
    if (name === OTHER || name.length > MAX_NAME_CHARS || this.#max === 0) return this.#other;
    if (this.#now() >= this.#reviewAt) this.#review();
    if (this.#tenants.size < this.#max) {
      const fresh = this.#open(name);
      this.#tenants.set(name, fresh);
      return fresh;
    }
    const seen = this.#candidates.get(name);
    if (seen !== undefined || this.#candidates.size < this.#max * CANDIDATES_PER_SERIES)
      this.#candidates.set(name, (seen ?? 0) + 1);
    return this.#other;
  }

  #open(name: string): Tenant {
    const one = (outcome: Outcome): Count => this.#counter.series({ tenant: name, outcome });
    const series = { forwarded: one('forwarded'), refused: one('refused'), failed: one('failed') };
    return { name, series, recent: 0 };
  }

  /** Gives the series of the smallest to newcomers that were much larger of late. */
  #review(): void {
    this.#reviewAt = this.#now() + REVIEW_EVERY_MS;
    const smallest = [...this.#tenants.values()].sort((a, b) => a.recent - b.recent);
    const largest = [...this.#candidates].sort(([, a], [, b]) => b - a);
    for (const [i, [name, count]] of largest.entries()) {
      const loser = smallest[i];
      if (loser === undefined || count <= loser.recent * MARGIN) break;
      this.#close(loser);
      this.#tenants.set(name, this.#open(name));
    }
    this.#candidates.clear();
    for (const tenant of this.#tenants.values()) tenant.recent = 0;
  }

  #close(tenant: Tenant): void {
    this.#tenants.delete(tenant.name);
    for (const outcome of OUTCOMES) {
      this.#other.series[outcome].value += tenant.series[outcome].value;
      this.#counter.end(tenant.series[outcome]);
    }
  }
}

const MAX_NAME_CHARS = 128;

import type { KongFamilies } from './kong-families.ts';
import type { Count, Distribution } from './tally.ts';

const WORKSPACE = 'default';

interface Latencies {
  readonly request: Distribution;
  readonly kong: Distribution;
  readonly legacyRequest: Distribution;
  readonly legacyKong: Distribution;
}
interface UpstreamLatencies {
  readonly upstream: Distribution;
  readonly legacyUpstream: Distribution;
}
interface Bandwidth {
  readonly ingress: Count;
  readonly egress: Count;
}

type StatusCounts = Map<number, Count>;

/** The series of one route of one service. Each appears with the first request that it tells of. */
export class RouteSeries {
  readonly #kong: KongFamilies;
  readonly #labels: { readonly service: string; readonly route: string };
  /** By source and consumer, then by code: a request puts no key together. */
  readonly #statuses = { kong: new Map<string, StatusCounts>(), service: new Map<string, StatusCounts>() };
  readonly #bandwidths = new Map<string, Bandwidth>();
  #latencies: Latencies | undefined;
  #upstreamLatencies: UpstreamLatencies | undefined;

  constructor(kong: KongFamilies, service: string, route: string) {
    this.#kong = kong;
    this.#labels = { service, route };
  }

  status(code: number, source: 'kong' | 'service', consumer: string): Count {
    let ofConsumer = this.#statuses[source].get(consumer);
    if (ofConsumer === undefined) {
      ofConsumer = new Map();
      this.#statuses[source].set(consumer, ofConsumer);
    }
    let count = ofConsumer.get(code);
    if (count === undefined) {
      const labels = { ...this.#labels, code: `${code}`, source, workspace: WORKSPACE, consumer };
      count = this.#kong.requests.series(labels);
      ofConsumer.set(code, count);
    }
    return count;
  }

  bandwidth(consumer: string): Bandwidth {
    let bandwidth = this.#bandwidths.get(consumer);
    if (bandwidth === undefined) {
      const labels = { ...this.#labels, direction: 'ingress', workspace: WORKSPACE, consumer };
      const ingress = this.#kong.bandwidth.series(labels);
      bandwidth = { ingress, egress: this.#kong.bandwidth.series({ ...labels, direction: 'egress' }) };
      this.#bandwidths.set(consumer, bandwidth);
    }
    return bandwidth;
  }

  get latencies(): Latencies {
    const [labels, kong] = [this.#labels, this.#kong];
    this.#latencies ??= {
      request: kong.requestLatency.series({ ...labels, workspace: WORKSPACE }),
      kong: kong.kongLatency.series({ ...labels, workspace: WORKSPACE }),
      legacyRequest: kong.legacyLatency.series({ ...labels, type: 'request' }),
      legacyKong: kong.legacyLatency.series({ ...labels, type: 'kong' }),
    };
    return this.#latencies;
  }

  get upstreamLatencies(): UpstreamLatencies {
    const [labels, kong] = [this.#labels, this.#kong];
    this.#upstreamLatencies ??= {
      upstream: kong.upstreamLatency.series({ ...labels, workspace: WORKSPACE }),
      legacyUpstream: kong.legacyLatency.series({ ...labels, type: 'upstream' }),
    };
    return this.#upstreamLatencies;
  }
}

/** The series of all routes, by service and route. */
export class SeriesByRoute {
  readonly #kong: KongFamilies;
  readonly #byService = new Map<string, Map<string, RouteSeries>>();

  constructor(kong: KongFamilies) {
    this.#kong = kong;
  }

  of(service: string, route: string): RouteSeries {
    let ofService = this.#byService.get(service);
    if (ofService === undefined) {
      ofService = new Map();
      this.#byService.set(service, ofService);
    }
    let series = ofService.get(route);
    if (series === undefined) {
      series = new RouteSeries(this.#kong, service, route);
      ofService.set(route, series);
    }
    return series;
  }
}

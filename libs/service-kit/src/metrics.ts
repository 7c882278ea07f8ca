import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** One registry per process. `sluice_build_info` names the service and its version. */
export const createMetrics = (service: string, version: string): Registry => {
  const registry = new Registry();
  new Gauge({
    name: 'sluice_build_info',
    help: 'Service and version of this process.',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ service, version, node: process.version }, 1);
  return registry;
};

type Names = readonly string[];

/** A counter on a registry; made once, at start. */
export const counter = <L extends Names>(registry: Registry, name: string, help: string, labelNames: L) =>
  new Counter<L[number]>({ name, help, labelNames: [...labelNames], registers: [registry] });

/** A gauge on a registry; made once, at start. `collect` is called at each scrape. */
export const gauge = <L extends Names>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L,
  collect?: (gauge: Gauge<L[number]>) => void,
) =>
  new Gauge<L[number]>({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    ...(collect === undefined
      ? {}
      : {
          collect(this: Gauge<L[number]>) {
            collect(this);
          },
        }),
  });

/** A histogram on a registry; made once, at start. */
export const histogram = <L extends Names>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L,
  buckets: readonly number[],
) =>
  new Histogram<L[number]>({
    name,
    help,
    labelNames: [...labelNames],
    buckets: [...buckets],
    registers: [registry],
  });

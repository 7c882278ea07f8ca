import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cpuUsage, memoryUsage } from 'node:process';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** How often the event loop is looked at, in ms. */
const LOOP_LOOK_MS = 20;
const MICROS = 1e6;
const NANOS = 1e9;

/** One registry per process, with its own figures. `sluice_build_info` names the service and its version. */
export const createMetrics = (service: string, version: string): Registry => {
  const registry = new Registry();
  new Gauge({
    name: 'sluice_build_info',
    help: 'Service and version of this process.',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ service, version, node: process.version }, 1);
  observeProcess(registry);
  return registry;
};

/** Under Prometheus' own names where it has some. The delays are those since the scrape before. */
const observeProcess = (registry: Registry): void => {
  const loop = monitorEventLoopDelay({ resolution: LOOP_LOOK_MS });
  loop.enable();
  gauge(registry, 'sluice_event_loop_delay_seconds', 'Delay of the event loop', ['at'] as const, (g) => {
    g.set({ at: 'p50' }, delayOf(loop.percentile(50)));
    g.set({ at: 'p99' }, delayOf(loop.percentile(99)));
    g.set({ at: 'max' }, delayOf(loop.max));
    loop.reset();
  });
  gauge(registry, 'process_resident_memory_bytes', 'Memory of the process', [] as const, (g) =>
    g.set(memoryUsage.rss()),
  );
  let told = 0;
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process',
    registers: [registry],
    collect() {
      const { user, system } = cpuUsage();
      this.inc((user + system) / MICROS - told);
      told = (user + system) / MICROS;
    },
  });
};

/** The monitor counts the time between its looks, too. */
const delayOf = (nanos: number): number => Math.max(0, nanos / NANOS - LOOP_LOOK_MS / 1000) || 0;

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

import { getHeapStatistics } from 'node:v8';

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: MIB, g: 1024 * MIB };
const MAX_SCALE = 20;
const DEFAULT_SCALE = 2;

/** What a process counts of its own connections and requests. */
export interface ConnectionCounts {
  readonly accepted: number;
  readonly active: number;
  readonly requests: number;
}

export interface NodeStatusFacts {
  readonly connections: ConnectionCounts;
  /** Whether the bus is there; undefined: configured as Kong without a database, which says nothing of one. */
  readonly isReachable: boolean | undefined;
  /** Of the configuration in force: its digest and version. */
  readonly configuration: { readonly digest: string; readonly version: number };
  /** What is away or wrong, by its name; none: not shown. */
  readonly problems?: Readonly<Record<string, string>>;
}

export type NodeStatus =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly message: string };

const HASH_LENGTH = 32;

/** Kong's `GET /status`: memory in the wanted unit (`?unit=`, `?scale=`), connections, the configuration's hash. */
export const nodeStatus = (
  query: Readonly<Record<string, unknown>>,
  { connections, isReachable, configuration, problems = {} }: NodeStatusFacts,
): NodeStatus => {
  const unit = typeof query.unit === 'string' ? query.unit : 'm';
  const scale = typeof query.scale === 'string' ? Number(query.scale) : DEFAULT_SCALE;
  if (UNITS[unit.toLowerCase()] === undefined)
    return { ok: false, message: `invalid unit '${unit}' (expected 'k/K', 'm/M', or 'g/G')` };
  const { accepted, active, requests } = connections;
  const { digest, version } = configuration;
  const memory = memoryIn(unit.toLowerCase(), scale);
  const { heapUsed } = process.memoryUsage();
  const body = {
    memory: {
      // As in the metrics: V8's heap for Lua's, and what V8 may use of it for a shared dictionary.
      lua_shared_dicts: {
        kong: { capacity: memory(getHeapStatistics().heap_size_limit), allocated_slabs: memory(heapUsed) },
      },
      workers_lua_vms: [{ pid: process.pid, http_allocated_gc: memory(heapUsed) }],
    },
    server: {
      connections_accepted: accepted,
      connections_active: active,
      connections_handled: accepted,
      connections_reading: 0,
      connections_writing: Math.min(1, active),
      connections_waiting: Math.max(0, active - 1),
      total_requests: requests,
    },
    ...(isReachable === undefined ? {} : { database: { reachable: isReachable } }),
    configuration_hash: digest.slice(0, HASH_LENGTH).padEnd(HASH_LENGTH, '0'),
    generation: `r${version}`,
    ...(Object.keys(problems).length === 0 ? {} : { problems }),
  };
  return { ok: true, body };
};

/** In bytes a number, else a text such as `45.12 MiB`. */
const memoryIn =
  (unit: string, scale: number) =>
  (bytes: number): string | number => {
    if (unit === 'b') return bytes;
    const digits = Number.isInteger(scale) && scale >= 0 ? Math.min(scale, MAX_SCALE) : DEFAULT_SCALE;
    return `${(bytes / (UNITS[unit] ?? MIB)).toFixed(digits)} ${unit.toUpperCase()}iB`;
  };

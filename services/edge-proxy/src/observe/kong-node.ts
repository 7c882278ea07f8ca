import { memoryUsage, pid } from 'node:process';
import { getHeapStatistics } from 'node:v8';
import { counter, gauge, type Registry } from '@sluice/service-kit';

/** What the listener counted; `requests` and `accepted` since the start. */
export interface Connections {
  readonly active: number;
  readonly accepted: number;
  readonly requests: number;
}

/**
 * The families of a node that Kong always exports (kong-compat 4.11). Where Kong speaks of nginx and Lua, the
 * figure is what comes nearest here: an in-flight request for a connection that writes, V8's heap for Lua's VM, and
 * its share of what V8 may use for a shared dictionary.
 */
export const observeNode = (registry: Registry, nodeId: string, connections: () => Connections): void => {
  gauge(registry, 'kong_node_info', 'This node', ['node_id', 'version'] as const).set(
    { node_id: nodeId, version: '3.9.1' },
    1,
  );
  observeConnections(registry, nodeId, connections);
  gauge(registry, 'kong_nginx_timers', 'Timers', ['state'] as const, (g) => {
    const timers = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout');
    g.set({ state: 'running' }, 0);
    g.set({ state: 'pending' }, timers.length);
  });
  counter(registry, 'kong_nginx_metric_errors_total', 'Errors of the metrics themselves', [] as const).inc(0);
  observeMemory(registry, { node_id: nodeId, kong_subsystem: 'http' });
};

const observeConnections = (registry: Registry, nodeId: string, connections: () => Connections): void => {
  gauge(
    registry,
    'kong_nginx_connections_total',
    'Client connections',
    ['node_id', 'subsystem', 'state'] as const,
    (g) => {
      const { active, accepted, requests } = connections();
      const states = { accepted, handled: accepted, total: requests, active, reading: 0, writing: active };
      for (const [state, value] of Object.entries({ ...states, waiting: 0 }))
        g.set({ node_id: nodeId, subsystem: 'http', state }, value);
    },
  );
};

const observeMemory = (registry: Registry, node: { node_id: string; kong_subsystem: string }): void => {
  const dictionary = { node_id: node.node_id, shared_dict: 'kong', kong_subsystem: node.kong_subsystem };
  const labels = ['node_id', 'shared_dict', 'kong_subsystem'] as const;
  gauge(registry, 'kong_memory_lua_shared_dict_bytes', 'Memory in use', labels, (g) =>
    g.set(dictionary, memoryUsage().heapUsed),
  );
  gauge(registry, 'kong_memory_lua_shared_dict_total_bytes', 'Memory that may be used', labels, (g) =>
    g.set(dictionary, getHeapStatistics().heap_size_limit),
  );
  gauge(
    registry,
    'kong_memory_workers_lua_vms_bytes',
    'Memory of the process',
    ['node_id', 'pid', 'kong_subsystem'] as const,
    (g) =>
      g.set({ node_id: node.node_id, pid: `${pid}`, kong_subsystem: node.kong_subsystem }, memoryUsage.rss()),
  );
};

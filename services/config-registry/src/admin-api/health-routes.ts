import { isIP } from 'node:net';
import type { Target, Upstream } from '@sluice/gateway-config';
import type { FastifyInstance } from 'fastify';
import { NOT_FOUND } from '../entities/entity-problem.ts';
import type { AdminParts } from './admin-api.ts';
import { findEntity, NESTED, type View } from './collections.ts';
import { endpoint } from './endpoint.ts';
import { nodeIdOf } from './node-routes.ts';
import { childrenOf, paramsOf } from './places.ts';

type Health = 'HEALTHY' | 'HEALTHCHECKS_OFF';

/** `/upstreams/{u}/health`, as far as the configuration says it: what the probes found is known to the edges. */
export const healthRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const targets = NESTED.find(({ kind }) => kind === 'targets');
  if (targets === undefined) throw new Error('targets are not listed under upstreams');
  endpoint(app, '/upstreams/:key/health', {
    GET: (request, reply) => {
      const view: View = { state: parts.follower.state, index: parts.index };
      const found = findEntity(view, 'upstreams', paramsOf(request).key);
      const upstream = found as unknown as Upstream | undefined;
      if (upstream === undefined) return reply.code(NOT_FOUND.status).send(NOT_FOUND.body);
      const all = (childrenOf(view, targets, paramsOf(request)) ?? []) as unknown as Target[];
      const { balancer_health } = request.query as Readonly<Record<string, unknown>>;
      const data =
        balancer_health === '1'
          ? balancerHealth(upstream, all)
          : all.map((target) => ({ ...target, ...targetHealth(target, healthOf(upstream)) }));
      return { data, next: null, node_id: nodeIdOf(parts) };
    },
  });
};

/** Without a probe and without a limit nothing can become unhealthy. */
const healthOf = ({ healthchecks: { active, passive } }: Upstream): Health => {
  const { http_failures, tcp_failures, timeouts } = passive.unhealthy;
  const probes = [active.healthy.interval, active.unhealthy.interval];
  const limits = [http_failures, tcp_failures, timeouts];
  return [...probes, ...limits].some((value) => value > 0) ? 'HEALTHY' : 'HEALTHCHECKS_OFF';
};

const splitAddress = (target: string): { host: string; port: number } => {
  const at = target.lastIndexOf(':');
  return { host: target.slice(0, at), port: Number(target.slice(at + 1)) };
};

const targetHealth = ({ target, weight }: Target, health: Health) => {
  const { host, port } = splitAddress(target);
  const isAddress = isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0;
  return {
    health,
    data: {
      host,
      port,
      dns: 'A',
      nodeWeight: weight,
      weight: { total: weight, available: weight, unavailable: 0 },
      addresses: isAddress ? [{ ip: host, port, weight, health }] : [],
    },
  };
};

const balancerHealth = (upstream: Upstream, targets: readonly Target[]) => {
  const health = healthOf(upstream);
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  return {
    health,
    balancer_health: health,
    id: upstream.id,
    details: {
      healthy: total > 0,
      weight: { total, available: total, unavailable: 0 },
      hosts: targets.map((target) => targetHealth(target, health).data),
    },
  };
};

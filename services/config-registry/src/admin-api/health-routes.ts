import { isIP } from 'node:net';
import { edgeTargetHealth, edgeUpstreamHealth } from '@sluice/contracts';
import type { Target, Upstream } from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { NOT_FOUND } from '../entities/entity-problem.ts';
import type { AdminParts } from './admin-api.ts';
import { askEdges } from './ask-edges.ts';
import { findEntity, NESTED, type View } from './collections.ts';
import { endpoint, type Handler } from './endpoint.ts';
import { nodeIdOf } from './node-routes.ts';
import { childrenOf, nestedPlace, type Params, paramsOf } from './places.ts';
import { balancerHealth, isChecked, targetHealth } from './upstream-health.ts';

const notFound = (reply: FastifyReply) => reply.code(NOT_FOUND.status).send(NOT_FOUND.body);

/** `/upstreams/{u}/health` and `…/targets/{t}[/{ip:port}]/{healthy,unhealthy}`: what the edges see, and are told. */
export const healthRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const targets = NESTED.find(({ kind }) => kind === 'targets');
  if (targets === undefined) throw new Error('targets are not listed under upstreams');
  const view = (): View => ({ state: parts.follower.state, index: parts.index });
  endpoint(app, '/upstreams/:key/health', {
    GET: async (request, reply) => {
      const upstream = upstreamAt(view(), paramsOf(request));
      if (upstream === undefined) return notFound(reply);
      const all = (childrenOf(view(), targets, paramsOf(request)) ?? []) as unknown as Target[];
      const edges = await askEdges(parts, edgeUpstreamHealth, { upstreamId: upstream.id });
      const { balancer_health } = request.query as Readonly<Record<string, unknown>>;
      const data =
        balancer_health === '1'
          ? balancerHealth(upstream, all, edges)
          : all.map((target) => ({ ...target, ...targetHealth(target, upstream, edges) }));
      return { data, next: null, node_id: nodeIdOf(parts) };
    },
  });
  const place = nestedPlace(targets);
  const setTo =
    (health: 'HEALTHY' | 'UNHEALTHY'): Handler =>
    (request, reply) => {
      const params = request.params as Params & { readonly address?: string };
      const upstream = upstreamAt(view(), params);
      const located = place.locate(view(), params);
      if (upstream === undefined || located?.entity === undefined || !located.isHere) return notFound(reply);
      const { target } = located.entity as unknown as Target;
      return setHealth(parts, reply, { upstream, target, address: params.address, health });
    };
  for (const path of ['/upstreams/:key/targets/:child', '/upstreams/:key/targets/:child/:address']) {
    endpoint(app, `${path}/healthy`, { PUT: setTo('HEALTHY') });
    endpoint(app, `${path}/unhealthy`, { PUT: setTo('UNHEALTHY') });
  }
};

const upstreamAt = (view: View, { key }: Params): Upstream | undefined =>
  findEntity(view, 'upstreams', key) as unknown as Upstream | undefined;

interface Marked {
  readonly upstream: Upstream;
  readonly target: string;
  readonly address: string | undefined;
  readonly health: 'HEALTHY' | 'UNHEALTHY';
}

const isAddress = (text: string): boolean => {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+)):\d{1,5}$/.exec(text) ?? [];
  return bracketed === undefined ? isIP(plain ?? '') === 4 : isIP(bracketed) === 6;
};

/** Answers when every live edge has it, or after the contract's time; the header says how many have. */
const setHealth = async (
  parts: AdminParts,
  reply: FastifyReply,
  { upstream, target, address, health }: Marked,
) => {
  if (!isChecked(upstream))
    return reply.code(400).send({ message: `no healthchecker found for ${upstream.name}` });
  if (address !== undefined && !isAddress(address)) {
    const message = `'${address}' is no address of a target: write ip:port, an IPv6 address in brackets`;
    return reply.code(400).send({ message });
  }
  const live = parts.edges.count;
  const answers = await askEdges(parts, edgeTargetHealth, {
    upstreamId: upstream.id,
    target,
    health,
    ...(address === undefined ? {} : { address }),
  });
  const applied = answers.filter(({ outcome }) => outcome === 'set').length;
  reply.header('x-sluice-acknowledged', `${applied}/${live}`);
  if (address !== undefined && answers.length > 0 && applied === 0) {
    const message = `no edge knows an address '${address}' of the target '${target}'`;
    return reply.code(400).send({ message });
  }
  return reply.code(204).send();
};

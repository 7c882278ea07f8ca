import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy, NetworkFault, ServerProcess } from '@sluice/testkit';
import type { GatewayWorld } from './gateway-world.ts';
import type { ProcessPart } from './process-part.ts';
import type { Fault, Part, Planned } from './schedule.ts';

type Hurt = ServerProcess | ProcessPart | FaultProxy;

const DELAY_MS = 500;
const THROTTLED_BYTES_PER_SECOND = 50_000;

const partOf = (world: GatewayWorld, part: Part): Hurt | undefined => {
  const { quota, decisions, registry, edges, configLink } = world;
  const [first, second] = decisions.upstreams;
  const parts: Record<Part, Hurt | undefined> = {
    ...{ nats: quota.nats, redis: quota.redis, 'config-registry': registry },
    ...{ 'quota-mirror-1': quota.mirrors[0], 'quota-mirror-2': quota.mirrors[1] },
    ...{ 'edge-1': edges[0]?.part, 'edge-2': edges[1]?.part },
    ...{ 'link mirrors-nats': quota.natsLink, 'link mirrors-redis': quota.redisLink },
    'link config-nats': configLink,
    ...{ auth: decisions.auth, ratelimit: decisions.ratelimit, 'link issuer': decisions.issuerLink },
    ...{ 'link decisions-nats': decisions.natsLink, 'link limits-redis': decisions.redisLink },
    ...{ 'link upstream-1': first?.link, 'link upstream-2': second?.link },
  };
  return parts[part];
};

const networkFault = (fault: Fault): NetworkFault | undefined => {
  if (fault === 'delay') return { kind: fault, ms: DELAY_MS };
  if (fault === 'throttle') return { kind: fault, bytesPerSecond: THROTTLED_BYTES_PER_SECOND };
  return fault === 'partition' || fault === 'refuse' || fault === 'garbage' ? { kind: fault } : undefined;
};

const hurtLink = async (link: FaultProxy, { fault, forMs }: Planned): Promise<void> => {
  const network = networkFault(fault);
  if (network !== undefined) link.inject(network);
  else link.reset();
  await sleep(forMs);
  link.heal();
  // What garbage has touched is out of step for good, as after a broken middle box: both ends must begin anew.
  if (fault === 'garbage') link.reset();
};

const hurtProcess = async (part: ServerProcess | ProcessPart, { fault, forMs }: Planned): Promise<void> => {
  if (fault === 'stop') {
    part.freeze();
    await sleep(forMs);
    part.thaw();
    return;
  }
  await part.kill(fault === 'kill' ? 'SIGKILL' : 'SIGTERM');
  await sleep(fault === 'kill' ? forMs : 0);
  await part.start();
};

/** Hurts what the plan names, when it says so, and makes it whole again. */
export const inject = async (world: GatewayWorld, planned: Planned): Promise<void> => {
  await sleep(planned.atMs);
  const part = partOf(world, planned.part);
  if (part === undefined) throw new Error(`${planned.part} is not there`);
  if ('inject' in part) await hurtLink(part, planned);
  else await hurtProcess(part, planned);
};

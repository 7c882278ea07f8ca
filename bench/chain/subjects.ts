import { join } from 'node:path';
import { call } from '@sluice/testkit';
import type { Subject } from '../measure/burst.ts';
import { familyOf } from '../measure/cpu.ts';
import { say } from '../measure/say.ts';
import { installNpmPeers } from '../peers/install.ts';
import { type Peer, startHaproxy, startNginxProxy, startNodePeer } from '../peers/servers.ts';
import type { Programs } from './programs.ts';
import type { PeerName, Variant } from './variants.ts';
import type { World } from './world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What an answer of the full chain shows: that its plugins ran. */
const TELLTALES = ['x-request-id', 'x-ratelimit-remaining-minute', 'x-quota-used'];

const startPeer = async (
  name: PeerName,
  world: World,
  { nginx, haproxy }: Programs,
): Promise<Peer | undefined> => {
  const folder = join(world.folder, name.replace('/', '-'));
  const { upstreamPort } = world;
  if (name === 'nginx') return startNginxProxy(nginx, folder, upstreamPort);
  if (name === 'haproxy')
    return haproxy === undefined ? undefined : startHaproxy(haproxy, folder, upstreamPort);
  if (name === 'http-proxy-3') return startNodePeer(name, { folder, upstreamPort });
  const packages = installNpmPeers(ROOT, say);
  return packages === undefined ? undefined : startNodePeer(name, { folder, upstreamPort, packages });
};

/** The requests of a variant. */
export const loadOf = ({ connections, path, tokens }: Variant, { few, many }: World): Subject['load'] => ({
  connections,
  path,
  script: (tokens === 'few' ? few : many).script,
});

/** Everything of ours that works for a request; the registry and the mirror are there, too, and mostly idle. */
const processesOf = (world: World, edges: readonly number[]): Subject['processes'] => {
  const { pids } = world.gateway.ready;
  return {
    edge: edges,
    nats: pids['nats-server'],
    auth: pids.auth,
    ratelimit: pids.ratelimit,
    redis: pids['redis-server'],
    'quota-mirror': pids['quota-mirror'],
    registry: pids['config-registry'],
  };
};

/** What a variant is measured on. */
export interface Started extends Subject {
  /** Of our edges. */
  readonly statusPorts: readonly number[];
}

/** Starts what a variant is measured on; undefined when its program is not there. */
export const startSubject = async (
  variant: Variant,
  world: World,
  programs: Programs,
): Promise<Started | undefined> => {
  const { id, runs } = variant;
  const load = loadOf(variant, world);
  if ('peer' in runs) {
    const peer = await startPeer(runs.peer, world, programs);
    if (peer === undefined) return undefined;
    world.defer(() => peer.child.stop());
    const processes = { [runs.peer]: familyOf(peer.child.pid) };
    return { id, port: peer.port, load, processes, statusPorts: [] };
  }
  const settings = runs.isTraced ? { ...world.tracing, ...runs.settings } : runs.settings;
  const edges = await world.addEdges({ name: id, count: runs.edges, settings });
  const pids = edges.children.map(({ pid }) => pid);
  const { port, statusPorts } = edges;
  return { id, port, load, processes: processesOf(world, pids), statusPorts };
};

/** Fails unless the answer is that of the upstream and, of the full chain, every plugin left its mark. */
export const assertAnswers = async (variant: Variant, port: number, world: World): Promise<void> => {
  const headers = world[variant.tokens].example;
  const answer = await call(`http://127.0.0.1:${port}`, variant.path, { headers });
  if (answer.status !== 200)
    throw new Error(`${variant.title} answers ${answer.status}: ${answer.text.slice(0, 200)}`);
  if (!('chain' in variant.runs) || variant.runs.chain !== 'full') return;
  const absent = TELLTALES.filter((name) => answer.headers[name] === undefined);
  if (absent.length > 0) throw new Error(`${variant.title} answers without ${absent.join(', ')}`);
};

import { BUS_USERS, natsPasswordVariable } from '@sluice/contracts';
import { describe, expect, test } from 'vitest';
import { type Connection, letsIn, mayConnect, type Party } from './reach.ts';
import { type Manifest, ofKind } from './rendered.ts';
import { SETTINGS, type ServiceName } from './settings.ts';
import { installations } from './sources.ts';

/*
 * Who may reach whom follows from the code: who is a user of the bus has a way to it, who has a setting for Redis has
 * one there, who listens on a port for people is reached by people. Nobody asks another service but by the bus, so
 * none has a way to another. The policies have to say exactly that, of every pair.
 */

const has = (service: string, setting: string): boolean =>
  setting in (SETTINGS[service as ServiceName]?.shape ?? {});
const statusPort = (service: ServiceName): number =>
  SETTINGS[service].shape.STATUS_PORT.parse(undefined) as number;
const isService = (name: string): name is ServiceName => name in SETTINGS;
const isBusUser = (name: string): boolean => (BUS_USERS as readonly string[]).includes(name);

/** Where the servers are that the overlay prod and the values prod name. */
const ELSEWHERE: readonly Party[] = [
  { name: 'nats', address: '10.0.0.11' },
  { name: 'redis', address: '10.0.1.11' },
];
const OUTSIDE: readonly Party[] = [
  { name: 'client', address: '198.51.100.7' },
  { name: 'upstream', address: '203.0.113.7' },
  { name: 'issuer', address: '203.0.113.8' },
  { name: 'cloud-metadata', address: '169.254.169.254' },
];

const podsAround = (namespace: string): readonly Party[] => {
  const pod = (
    name: string,
    address: string,
    labels: Record<string, string>,
    home = namespace,
    namespaceLabels = {},
  ): Party => ({ name, address, pod: { labels, namespace: home, namespaceLabels, ports: {} } });
  return [
    pod('litellm', '10.244.1.1', { 'sluice-bus': 'allowed' }),
    pod('operator', '10.244.1.2', { 'sluice-bus': 'allowed' }),
    pod('administrator', '10.244.1.3', { 'sluice-admin': 'allowed' }),
    pod('stranger', '10.244.1.4', {}),
    pod('prometheus', '10.244.2.1', {}, 'monitoring', { 'sluice-metrics': 'allowed' }),
    pod('agents', '10.244.2.2', {}, 'platform'),
    pod('kube-dns', '10.244.2.3', { 'k8s-app': 'kube-dns' }, 'kube-system'),
    // Labels mean something in this namespace alone.
    pod('pretender', '10.244.2.4', { 'sluice-admin': 'allowed', 'sluice-bus': 'allowed' }, 'platform'),
  ];
};

const podsOf = (manifests: readonly Manifest[]): readonly Party[] =>
  [...ofKind(manifests, 'Deployment'), ...ofKind(manifests, 'StatefulSet')].map(({ metadata, spec }, i) => ({
    name: metadata.name,
    address: `10.244.0.${i + 1}`,
    pod: {
      labels: spec.template.metadata.labels,
      namespace: metadata.namespace ?? '',
      namespaceLabels: {},
      ports: Object.fromEntries(
        spec.template.spec.containers[0].ports.map(({ name, containerPort }) => [name, containerPort]),
      ),
    },
  }));

/** Everybody there is, and the ports that somebody listens on. */
const worldOf = (manifests: readonly Manifest[]) => {
  const ours = podsOf(manifests);
  const servers = ELSEWHERE.filter(({ name }) => !ours.some((one) => one.name === name));
  return [...ours, ...servers, ...podsAround(ours[0]?.pod?.namespace ?? ''), ...OUTSIDE];
};

const PORTS = [53, 80, 443, 4222, 6379, 7422, 8000, 8001, 8222, ...[8100, 8101, 8102, 8103, 8104]];

const SERVERS = ['nats', 'redis', 'leaf'];

/** What the code of the services asks for. */
const isMeant = ({ from, to, port }: Connection): boolean =>
  isAsked(from, to, port) && isAnswered(from.name, to, port);

const isAnswered = (from: string, { name: to, pod }: Party, port: number): boolean => {
  // Who is not ours, or somewhere else, is asked about elsewhere.
  if (pod === undefined || (!isService(to) && !SERVERS.includes(to))) return true;
  if (to === 'nats') return port === 4222 && isBusUser(from);
  if (to === 'redis') return port === 6379 && has(from, 'REDIS_URL');
  if (has(to, 'ADMIN_PORT') && port === 8001) return from === 'administrator';
  if (has(to, 'PROXY_PORT') && port === 8000) return true;
  return isService(to) && port === statusPort(to) && from === 'prometheus';
};

const isAsked = (asker: Party, { name: to, pod }: Party, port: number): boolean => {
  const from = asker.name;
  if (SERVERS.includes(from)) return asker.pod === undefined;
  if (!isService(from)) return true;
  if (to === 'kube-dns' && port === 53) return true;
  if (to === 'nats' && port === 4222) return isBusUser(from);
  if (to === 'redis' && port === 6379) return has(from, 'REDIS_URL');
  // The configuration may name any upstream, but no server of ours; issuers are at https, wherever it says.
  if (has(from, 'PROXY_PORT')) return to !== 'cloud-metadata' && (pod !== undefined || !SERVERS.includes(to));
  return has(from, 'JWKS_TIMEOUT_MS') && port === 443 && to !== 'cloud-metadata';
};

describe.each(installations(['dev', 'prod'], ['dev', 'prod']))('%s', (_, manifests) => {
  const policies = ofKind(manifests, 'NetworkPolicy');
  const world = worldOf(manifests);
  test.each(world)('$name reaches whom the contracts and the settings mean, and nobody else', (from) => {
    const pairs = world.flatMap((to) => PORTS.map((port) => ({ from, to, port })));
    const inWords = (connections: readonly Connection[]) =>
      connections.map(({ to, port }) => `${from.name} to ${to.name}:${port}`);

    const others = pairs.filter(({ to }) => to !== from);
    expect(inWords(others.filter((one) => mayConnect(policies, one)))).toEqual(
      inWords(others.filter(isMeant)),
    );
  });

  // Policies of a network that reads addresses otherwise, or of other namespaces, must not be what they rest on.
  test('servers and services let in whom they are for, wherever the others may go', () => {
    for (const to of world.filter(({ name, pod }) => pod && (isService(name) || SERVERS.includes(name)))) {
      const pairs = PORTS.flatMap((port) =>
        world.filter(({ name }) => name !== to.name).map((from) => ({ from, to, port })),
      );
      const inWords = (connections: readonly Connection[]) =>
        connections.map(({ from, port }) => `${from.name} at ${to.name}:${port}`);
      expect(inWords(pairs.filter((one) => letsIn(policies, one)))).toEqual(
        inWords(pairs.filter(({ from, port }) => isAnswered(from.name, to, port))),
      );
    }
  });

  test('every service is the user of the bus that it is named after, with the password of that user', () => {
    for (const { metadata, spec } of ofKind(manifests, 'Deployment')) {
      const env = spec.template.spec.containers[0].env ?? [];
      const of = (name: string) => env.find((one) => one.name === name);
      expect(isBusUser(metadata.name)).toBe(true);
      expect(of('NATS_USER')?.value).toBe(metadata.name);
      expect(of('NATS_PASSWORD')?.valueFrom?.secretKeyRef?.key).toBe(metadata.name);
    }
  });

  test('a server of its own is given the passwords of all users', () => {
    for (const { spec } of ofKind(manifests, 'StatefulSet').filter(
      ({ metadata }) => metadata.name === 'nats',
    ))
      expect(spec.template.spec.containers[0].env).toEqual(
        BUS_USERS.map((user) => ({
          name: natsPasswordVariable(user),
          valueFrom: { secretKeyRef: { name: 'sluice-bus', key: user } },
        })),
      );
  });
});

describe.each(installations([], ['leaf']))('%s', (_, manifests) => {
  const policies = ofKind(manifests, 'NetworkPolicy');
  const hub = { name: 'hub', address: '192.0.2.7' };
  const world = [...worldOf(manifests), hub];
  const reach = (name: string, isThere: (connection: Connection) => boolean) =>
    world
      .flatMap((from) => world.flatMap((to) => PORTS.map((port) => ({ from, to, port }))))
      .filter((one) => isThere(one) && one.from !== one.to && mayConnect(policies, one))
      .map(({ from, to, port }) => `${(from.name === name ? to : from).name}:${port}`);

  test('edges alone reach the leaf node, which reaches its hub and nobody else', () => {
    expect(reach('leaf', ({ to }) => to.name === 'leaf')).toEqual(['edge-proxy:4222']);
    expect(reach('leaf', ({ from }) => from.name === 'leaf')).toEqual(['kube-dns:53', 'hub:7422']);
  });

  test('an edge is reached by its clients and by who scrapes it', () => {
    const strangers = reach('edge-proxy', ({ to, port }) => to.name === 'edge-proxy' && port !== 8000);
    expect(strangers).toEqual(['prometheus:8100']);
  });
});

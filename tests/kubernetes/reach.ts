import { BlockList } from 'node:net';
import type { Manifest } from './rendered.ts';

export type Policy = Extract<Manifest, { kind: 'NetworkPolicy' }>;
type Labels = Readonly<Record<string, string>>;
type Selector = Policy['spec']['podSelector'];
type Peer = NonNullable<NonNullable<Policy['spec']['egress']>[0]['to']>[0];
type Ports = NonNullable<Policy['spec']['egress']>[0]['ports'];

/** Something that connects or is connected to: a pod, or an address outside of the cluster. */
export interface Party {
  readonly name: string;
  readonly address: string;
  /** Undefined outside of the cluster. */
  readonly pod?: {
    readonly labels: Labels;
    readonly namespace: string;
    readonly namespaceLabels: Labels;
    /** Its ports that have names. */
    readonly ports: Readonly<Record<string, number>>;
  };
}
export interface Connection {
  readonly from: Party;
  readonly to: Party;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(
    ({ key, operator, values }) => values.includes(labels[key] ?? '') === (operator === 'In'),
  );

const isWithin = (address: string, cidr: string): boolean => {
  const [net = '', bits = ''] = cidr.split('/');
  const block = new BlockList();
  block.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4');
  return block.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
};

/** Whether a peer of a policy in this namespace is that party. An address is a pod's, too: so the wider networks read it. */
const means = (peer: Peer, { address, pod }: Party, namespace: string): boolean => {
  const { ipBlock, podSelector = {}, namespaceSelector } = peer;
  if (ipBlock !== undefined)
    return isWithin(address, ipBlock.cidr) && !(ipBlock.except ?? []).some((one) => isWithin(address, one));
  if (pod === undefined || !selects(podSelector, pod.labels)) return false;
  return namespaceSelector === undefined
    ? pod.namespace === namespace
    : selects(namespaceSelector, pod.namespaceLabels);
};

const hasPort = (ports: Ports, { to, port, protocol = 'TCP' }: Connection): boolean =>
  ports?.some((one) => {
    const number = typeof one.port === 'string' ? to.pod?.ports[one.port] : one.port;
    return number === port && one.protocol === protocol;
  }) ?? true;

const isIn = ({ metadata }: Policy, namespace: string): boolean => metadata.namespace === namespace;

/** What one end allows: everything, until a policy selects it; then what one of those names. */
const allows = (policies: readonly Policy[], connection: Connection, way: 'Egress' | 'Ingress'): boolean => {
  const [here, other] =
    way === 'Egress' ? [connection.from, connection.to] : [connection.to, connection.from];
  const { pod } = here;
  if (pod === undefined) return true;
  const itsOwn = policies.filter(
    (one) =>
      isIn(one, pod.namespace) &&
      one.spec.policyTypes.includes(way) &&
      selects(one.spec.podSelector, pod.labels),
  );
  if (itsOwn.length === 0) return true;
  const rules = itsOwn.flatMap(({ spec: { egress = [], ingress = [] } }) =>
    way === 'Egress'
      ? egress.map(({ to, ports }) => ({ peers: to, ports }))
      : ingress.map(({ from, ports }) => ({ peers: from, ports })),
  );
  return rules.some(
    ({ peers, ports }) =>
      hasPort(ports, connection) && (peers?.some((peer) => means(peer, other, pod.namespace)) ?? true),
  );
};

/** As Kubernetes decides: both ends have to allow it. */
export const mayConnect = (policies: readonly Policy[], connection: Connection): boolean =>
  allows(policies, connection, 'Egress') && allows(policies, connection, 'Ingress');

/** What the end that is connected to allows by itself, wherever the other may go. */
export const letsIn = (policies: readonly Policy[], connection: Connection): boolean =>
  allows(policies, connection, 'Ingress');

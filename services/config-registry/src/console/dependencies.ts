/** Something that the gateway leans on, as this process and the edges see it. */
export interface Dependency {
  readonly name: 'nats' | 'config-registry' | 'auth' | 'ratelimit' | 'upstreams' | 'capacity';
  readonly isWell: boolean;
  /** For people: what follows from it, or that all is well. */
  readonly says: string;
}

/** The text of one edge's metrics. */
export interface EdgeMetrics {
  readonly instance: string;
  readonly text: string;
}

/** Adds up a gauge of every edge, with a label where one is named. */
const sumOf = (edges: readonly EdgeMetrics[], name: string, label = ''): number =>
  edges.reduce((sum, { text }) => sum + gaugeOf(text, name, label), 0);

const gaugeOf = (text: string, name: string, label: string): number => {
  let sum = 0;
  for (const line of text.split('\n'))
    if (line.startsWith(name) && /[{ ]/.test(line[name.length] ?? '') && line.includes(label))
      sum += Number(line.slice(line.lastIndexOf(' ') + 1)) || 0;
  return sum;
};

/** What is well and what is not. `isConnected`: this process to the bus. */
export const dependenciesOf = (edges: readonly EdgeMetrics[], isConnected: boolean): Dependency[] => {
  const all = edges.length;
  const cutOff = all - sumOf(edges, 'sluice_nats_connected');
  const stale = sumOf(edges, 'sluice_config_stale');
  const brokenTargets = sumOf(edges, 'sluice_target_breaker_open');
  const shedding = edges.filter(({ text }) => gaugeOf(text, 'sluice_overload_state', '') > 1).length;
  const open = (part: string) => sumOf(edges, 'sluice_breaker_open', `dependency="${part}"`);
  return [
    isConnected
      ? told('nats', cutOff, `${cutOff} of ${all} edges are not connected and decide alone`)
      : { name: 'nats', isWell: false, says: 'the registry is not connected: nothing can be changed' },
    told('config-registry', stale, `${stale} of ${all} edges have heard no registry for 10 s`),
    told('auth', open('auth'), 'does not answer: only credentials that the edges remember are let in'),
    told('ratelimit', open('ratelimit'), 'does not answer: every edge counts its own share'),
    told(
      'upstreams',
      brokenTargets,
      `${brokenTargets} targets are left alone after too many failures in a row`,
    ),
    told('capacity', shedding, `${shedding} of ${all} edges refuse some requests: they are overloaded`),
  ];
};

const told = (name: Dependency['name'], count: number, problem: string): Dependency => ({
  name,
  isWell: count <= 0,
  says: count <= 0 ? 'well' : problem,
});

import http from 'node:http';
import https from 'node:https';

/** No bound on open sockets: a bounded pool full of long streams would make every short request wait for ever. */
export const KEEP_ALIVE: http.AgentOptions = {
  keepAlive: true,
  maxFreeSockets: 512,
  timeout: 60_000,
  scheduling: 'lifo',
};

/** Pools of services that ask for nothing special, by protocol. */
export const agents = { 'http:': new http.Agent(KEEP_ALIVE), 'https:': new https.Agent(KEEP_ALIVE) };
/** A pool that keeps no connection after its request. As an option Node takes 0 for what it does unless told. */
export const keepingNone = <A extends http.Agent>(agent: A): A => {
  agent.maxFreeSockets = 0;
  return agent;
};
/** Each request on a connection nobody used before. */
export const freshAgents = {
  'http:': keepingNone(new http.Agent({ keepAlive: true })),
  'https:': keepingNone(new https.Agent({ keepAlive: true })),
};

const pooled = [...Object.values(agents), ...Object.values(freshAgents)];

/** Connections of services that ask for nothing special, idle or not. */
export const countSockets = (): number =>
  pooled
    .flatMap(({ sockets, freeSockets }) => [...Object.values(sockets), ...Object.values(freeSockets)])
    .reduce((sum, list) => sum + (list?.length ?? 0), 0);

/** Closes pooled connections, at shutdown. */
export const closeAgents = (): void => {
  for (const agent of pooled) agent.destroy();
};

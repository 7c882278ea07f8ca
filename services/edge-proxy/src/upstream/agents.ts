import http, { type ClientRequest } from 'node:http';
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
/** Each request on a connection nobody used before. */
export const freshAgents = {
  'http:': new http.Agent({ keepAlive: true, maxFreeSockets: 0 }),
  'https:': new https.Agent({ keepAlive: true, maxFreeSockets: 0 }),
};

type Pool = http.Agent & {
  addRequest(request: ClientRequest & { agent: http.Agent }, options: object): void;
};

/**
 * The library drops a query that is empty; Kong keeps the bare `?`. A pool is asked before the request line is
 * written, so that is where it can still be put back.
 */
export const keepingQuestionMark = (pool: http.Agent, empty: http.Agent): http.Agent => {
  (empty as Pool).addRequest = (request, options) => {
    request.path += '?';
    request.agent = pool;
    (pool as Pool).addRequest(request, options);
  };
  return empty;
};
export const questionMarkAgents = {
  'http:': keepingQuestionMark(agents['http:'], new http.Agent()),
  'https:': keepingQuestionMark(agents['https:'], new https.Agent()),
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

import type { Settings } from '../../settings.ts';
import { dispatchEngine } from './dispatch.ts';
import type { Engine } from './engine.ts';
import { httpProxyEngine } from './http-proxy.ts';

/** By the name they are chosen with. */
export const engines: Readonly<Record<Settings['FORWARD_ENGINE'], Engine>> = {
  undici: dispatchEngine,
  'http-proxy-3': httpProxyEngine,
};

/** Connections to upstreams, idle ones too. */
export const upstreamConnections = (): number =>
  Object.values(engines).reduce((sum, engine) => sum + engine.connections(), 0);

/** Closes every connection to an upstream, at shutdown. */
export const closeUpstreamConnections = (): void => {
  for (const engine of Object.values(engines)) engine.close();
};

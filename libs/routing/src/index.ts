export {
  type Chain,
  type ChainStep,
  instanceFor,
  type PluginInstance,
  PluginTable,
} from './chains/plugin-table.ts';
export { prepareInstance } from './chains/prepare-instance.ts';
export { type Resolve, resolveReferences } from './chains/resolve-references.ts';
export { normalisePath, type TargetParts } from './normalise-path.ts';
export { type HostAndPort, parseHost } from './parse-host.ts';
export { isConfusing } from './path-readings.ts';
export { type Arrived, isGrpc, refuseProtocol } from './refuse-protocol.ts';
export type { RouteMatch } from './route-entries.ts';
export { type MatchRequest, type PreparedRoute, Router } from './router.ts';
export { upstreamPath, withQuery } from './upstream-path.ts';

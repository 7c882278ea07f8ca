export { type Answer, type CallOptions, call } from './call.ts';
export { Collector, type ZipkinSpan } from './collector.ts';
export {
  type DeckChange,
  type DeckEntity,
  type DeckFile,
  diffAsDeck,
  dumpAsDeck,
  type SendAsDeck,
  syncAsDeck,
} from './deck.ts';
export { decodeLogs, decodeTraces, type OtlpExport, type OtlpLog, type OtlpSpan } from './decode-otlp.ts';
export { eventually } from './eventually.ts';
export { FaultProxy, type NetworkFault } from './fault-proxy.ts';
export { GrpcCollector } from './grpc-collector.ts';
export { OidcIssuer } from './oidc-issuer.ts';
export { freePort, ServerProcess, startNats, startRedis } from './servers.ts';
export { silentLogger } from './silent-logger.ts';
export { verifyContract } from './verify-contract.ts';

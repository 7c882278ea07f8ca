export { type Answer, type CallOptions, call } from './call.ts';
export { eventually } from './eventually.ts';
export { OidcIssuer } from './oidc-issuer.ts';
export { freePort, ServerProcess, startNats, startRedis } from './servers.ts';
export { silentLogger } from './silent-logger.ts';
export { verifyContract } from './verify-contract.ts';

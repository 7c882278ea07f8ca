import type { ConfigOp, Kind } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';

/** What the auth process looks at, which follows the log and knows of no candidate. */
const KINDS_OF_AUTH: ReadonlySet<Kind> = new Set([
  ...(['consumers', 'acls', 'issuers', 'jwt_secrets', 'oauth2_credentials'] as const),
  ...(['keyauth_credentials', 'basicauth_credentials', 'hmacauth_credentials'] as const),
]);
const PLUGINS_OF_AUTH: ReadonlySet<string> = new Set([
  ...['jwt', 'oidc', 'key-auth', 'basic-auth', 'hmac-auth', 'oauth2', 'tenant-binding'],
]);

/** The first change that only the log can bring about, in words; undefined: edges can try all of it. */
export const whatCannotBeTried = (ops: readonly ConfigOp[], live: ConfigState): string | undefined => {
  for (const op of ops) {
    if (KINDS_OF_AUTH.has(op.kind)) return `it changes ${op.kind}`;
    if (op.kind !== 'plugins') continue;
    const name = live.get('plugins', op.id)?.name ?? (op.op === 'put' ? `${op.entity.name}` : '');
    if (PLUGINS_OF_AUTH.has(name)) return `it changes a plugin ${name}`;
  }
  return undefined;
};

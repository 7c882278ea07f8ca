import type { Kind } from '@sluice/contracts';
import { checkEntity, transformSecrets } from '@sluice/gateway-config';
import { pluginCatalog } from '@sluice/plugins';

const ID = 'c2b0c5a4-3c6e-5d0c-9c57-1f6a52a8f7aa';
const OWNER = { id: '0b6a1f6e-7c7e-5b5e-8d0c-2c7d6b0e4a11' };
const AT = 1_767_323_045;

/** One entity of each kind as it is written. Certificates have none: PEM tells nobody anything. */
const WRITTEN: Partial<Record<Kind, Readonly<Record<string, unknown>>>> = {
  services: { name: 'agent-orchestrator', url: 'http://agents.test:8080/api', tags: ['agents'] },
  routes: { name: 'agent-workflows', paths: ['/v1/workflows'], methods: ['GET', 'POST'], service: OWNER },
  consumers: { username: 'alice', custom_id: 'user-456' },
  plugins: { name: 'rate-limiting', config: { minute: 100 }, route: OWNER },
  upstreams: { name: 'agents', algorithm: 'round-robin' },
  targets: { target: '10.0.0.1:8080', weight: 100 },
  snis: { name: 'api.example.com', certificate: OWNER },
  vaults: { name: 'env', prefix: 'my-env', config: { prefix: 'SECRET_' } },
  key_sets: { name: 'partners' },
  keyauth_credentials: { key: 'a-key-of-your-own' },
  basicauth_credentials: { username: 'alice', password: 'a-password-of-your-own' },
  hmacauth_credentials: { username: 'alice', secret: 'a-secret-of-your-own' },
  jwt_secrets: { key: 'https://issuer.example.com', algorithm: 'HS256', secret: 'a-secret-of-your-own' },
  acls: { group: 'partners' },
  oauth2_credentials: { name: 'portal', redirect_uris: ['https://portal.example.com/back'] },
  issuers: { name: 'logto', issuer: 'https://auth.example.com/oidc' },
  tenants: { name: 'tenant-123' },
};

const OWNED_BY: Partial<Record<Kind, string>> = { targets: 'upstream' };

/** What is sent to create one. */
export const writtenExample = (kind: Kind): Readonly<Record<string, unknown>> | undefined => WRITTEN[kind];

/** The same as it is answered: completed by the code that completes what is really sent. */
export const answeredExample = (kind: Kind): Readonly<Record<string, unknown>> | undefined => {
  const example = WRITTEN[kind];
  if (example === undefined) return undefined;
  const owner = OWNED_BY[kind] ?? (isCredential(kind) ? 'consumer' : undefined);
  const given = owner === undefined ? example : { ...example, [owner]: OWNER };
  const { entity } = checkEntity(kind, given, pluginCatalog);
  const stored = { ...entity, id: ID, created_at: AT, updated_at: AT };
  transformSecrets(kind, stored);
  return stored;
};

const isCredential = (kind: Kind): boolean => /_credentials$|^jwt_secrets$|^acls$/.test(kind);

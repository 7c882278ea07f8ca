import { entitySchema } from './entity.ts';
import { array, atLeastOneOf, boolean, conditional, foreign, integer, mustBeSet, string } from './field.ts';

/** kong-compat 2.4. */
export const consumerSchema = entitySchema({
  kind: 'consumers',
  endpointKey: 'username',
  unique: ['custom_id'],
  children: {
    plugins: 'consumer',
    keyauth_credentials: 'consumer',
    basicauth_credentials: 'consumer',
    hmacauth_credentials: 'consumer',
    jwt_secrets: 'consumer',
    acls: 'consumer',
    oauth2_credentials: 'consumer',
  },
  fields: { username: string(), custom_id: string() },
  checks: [atLeastOneOf(['custom_id', 'username'])],
});

const consumer = foreign('consumers', { required: true });
const hidden = ['updated_at']; // Kong's credentials have none

export const keyauthSchema = entitySchema({
  kind: 'keyauth_credentials',
  endpointKey: 'key',
  cacheKey: ['key'],
  hidden,
  fields: { consumer, key: string(), ttl: integer({ between: [0, 100_000_000] }) },
});

export const basicauthSchema = entitySchema({
  kind: 'basicauth_credentials',
  endpointKey: 'username',
  cacheKey: ['username'],
  hidden,
  fields: { consumer, username: string({ required: true }), password: string({ required: true }) },
});

export const hmacauthSchema = entitySchema({
  kind: 'hmacauth_credentials',
  endpointKey: 'username',
  cacheKey: ['username'],
  hidden,
  fields: { consumer, username: string({ required: true }), secret: string() },
});

const ALGORITHMS = ['HS', 'RS', 'ES', 'PS'].flatMap((family) =>
  ['256', '384', '512'].map((bits) => `${family}${bits}`),
);
/** ES* uses the key too but Kong does not ask for it. */
const NEEDS_KEY = /^(?:RS|PS|EdDSA)/;

const checkPublicKey = (pem: string): string | undefined =>
  /^-----BEGIN [A-Z ]+-----\s[\s\S]+\s?-----END [A-Z ]+-----\s*$/.test(pem) ? undefined : 'invalid key';

const publicKey = conditional({
  field: 'algorithm',
  when: (algorithm) => NEEDS_KEY.test(String(algorithm)),
  target: 'rsa_public_key',
  must: mustBeSet,
});

export const jwtSecretSchema = entitySchema({
  kind: 'jwt_secrets',
  endpointKey: 'key',
  cacheKey: ['key'],
  hidden,
  fields: {
    consumer,
    key: string(),
    secret: string(),
    algorithm: string({ default: 'HS256', oneOf: [...ALGORITHMS, 'EdDSA'] }),
    rsa_public_key: string({ check: checkPublicKey }),
    jwks_uri: string({ check: checkHttpUrl }),
  },
  checks: [
    {
      fields: [...publicKey.fields, 'jwks_uri'],
      // Keys that are fetched need not be written here.
      run: (entity, report) => (entity.jwks_uri === null ? publicKey.run(entity, report) : undefined),
    },
  ],
});

/** An absolute http(s) URL, or a vault reference that the auth process resolves. */
export function checkHttpUrl(value: string): string | undefined {
  if (value.startsWith('{vault://')) return undefined;
  if (!/^https?:/.test(value)) return 'missing scheme in url';
  return URL.canParse(value) && new URL(value).hostname !== '' ? undefined : 'missing host in url';
}

export const aclSchema = entitySchema({
  kind: 'acls',
  cacheKey: ['consumer', 'group'],
  hidden,
  fields: { consumer, group: string({ required: true }) },
});

/** Kept for tools that read and write them; no plugin of ours issues OAuth 2 tokens. */
export const oauth2Schema = entitySchema({
  kind: 'oauth2_credentials',
  endpointKey: 'client_id',
  cacheKey: ['client_id'],
  hidden,
  fields: {
    consumer,
    name: string({ required: true }),
    client_id: string(),
    client_secret: string(),
    hash_secret: boolean(false),
    redirect_uris: array(string({ check: checkRedirectUri })),
    client_type: string({ default: 'confidential', oneOf: ['confidential', 'public'] }),
  },
});

/** Absolute and without a fragment (RFC 6749 section 3.1.2). */
function checkRedirectUri(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null || url.host === '') return `cannot parse '${value}'`;
  return value.includes('#') ? `fragment not allowed in '${value}'` : undefined;
}

/** Ours: an OIDC issuer (model.ts). */
export const issuerSchema = entitySchema({
  kind: 'issuers',
  endpointKey: 'name',
  fields: {
    name: string({ required: true }),
    issuer: string({ required: true }),
    jwks_uri: string({ check: checkHttpUrl }),
    audiences: array(string()),
    algorithms: array(string({ oneOf: [...ALGORITHMS.filter((name) => !name.startsWith('HS')), 'EdDSA'] }), {
      default: ['ES384', 'RS256', 'ES256', 'PS256', 'EdDSA', 'RS384', 'RS512', 'ES512'],
      lengthMin: 1,
    }),
    tenant_claim: string({ default: 'tenant_id' }),
    user_claim: string({ default: 'sub' }),
    platform_claim: string({ default: 'platform_id' }),
  },
});

/** Ours: limits and policies of one tenant. */
export const tenantSchema = entitySchema({
  kind: 'tenants',
  endpointKey: 'name',
  loose: true,
  fields: { name: string({ required: true }) },
});

import { z } from 'zod';
import { batchedRequest } from '../contract.ts';
import { tokenMarks } from './revoked.ts';

/** Longest credential, and longest text that was signed, in characters. */
export const MAX_CREDENTIAL_CHARS = 32_768;
/** Longest user name, in characters. */
export const MAX_USERNAME_CHARS = 1024;
/** Longest identity for upstreams, in characters: some take no header line above 8 KiB. */
export const MAX_SIGNED_IDENTITY_CHARS = 6144;
/** What an HMAC signature may be made with. */
export const HMAC_ALGORITHMS = ['hmac-sha1', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;

/** What tokens of issuers may be signed with; no shared secrets. */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
] as const;

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Is this credential good, and who is it? Asked by the edge for each credential it holds no verdict for. */
export const authVerify = batchedRequest({
  subject: 'auth.v1.verify',
  summary: 'Verify a credential against one plugin of the current configuration and say who it is.',
  owner: 'auth',
  askedBy: ['edge-proxy'],
  queue: 'auth',
  timeoutMs: 250, // past it the edge answers 503: authentication fails closed
  check: z.object({
    /** The plugin entity whose settings apply (claims to verify, key claim, …). */
    pluginId: z.string().min(1).max(64),
    /** Configuration the asker stands on, so that a responder behind it catches up first. */
    epoch: z.string().max(64),
    version: z.int().nonnegative(),
    scheme: z.enum(['jwt', 'key', 'basic', 'hmac']),
    /** jwt: the token; key: the API key; basic: `user:password` in base64; hmac: the signature in base64. */
    token: z.string().min(1).max(MAX_CREDENTIAL_CHARS),
    /** The tenant-binding instance in whose words the identity is to be signed; absent: it is not. */
    signedBy: z.string().min(1).max(64).optional(),
    /** hmac: whose secret signed what, and how. The secret itself never leaves the auth process. */
    hmac: z
      .object({
        username: z.string().min(1).max(MAX_USERNAME_CHARS),
        algorithm: z.enum(HMAC_ALGORITHMS),
        signingString: z.string().max(MAX_CREDENTIAL_CHARS),
      })
      .optional(),
  }),
  verdict: z.object({
    outcome: z.enum(['allow', 'deny']),
    /** How long the asker may reuse this verdict, in ms from receipt; never past the token's `exp`. */
    cacheMs: z.int().nonnegative(),
    consumer: z
      .object({ id: z.string(), username: z.string().optional(), customId: z.string().optional() })
      .optional(),
    credential: z.object({ id: z.string(), identifier: z.string() }).optional(),
    /** The consumer's groups (acls); absent: none. */
    groups: z.array(z.string()).optional(),
    tenantId: z.string().optional(),
    platformId: z.string().optional(),
    userId: z.string().optional(),
    /** Only claims that plugins may show or log; never the token. */
    claims: z.record(z.string(), scalar).optional(),
    /** The identity as a compact JWS, where one was asked for; it outlives `cacheMs`. */
    signedIdentity: z.string().max(MAX_SIGNED_IDENTITY_CHARS).optional(),
    /** What a revocation may name this token by; absent for credentials that are no tokens. */
    token: tokenMarks.optional(),
    /** For a denial: the exact JSON body for the client, and a short reason for logs. */
    body: z.record(z.string(), scalar).optional(),
    reason: z.string().optional(),
  }),
  examples: [
    {
      name: 'a token of an OIDC issuer',
      check: {
        pluginId: 'f2b0c5a4-3c6e-5d0c-9c57-1f6a52a8f7aa',
        epoch: '9f8e7d6c',
        version: 12,
        scheme: 'jwt',
        token: 'eyJhbGciOiJFUzM4NCJ9.e30.c2ln',
      },
      verdict: {
        outcome: 'allow',
        cacheMs: 60_000,
        credential: { id: 'logto', identifier: 'https://auth.example.com/oidc' },
        tenantId: 'tenant-123',
        userId: 'user-456',
        claims: { sub: 'user-456' },
        token: {
          issuer: 'https://auth.example.com/oidc',
          subject: 'user-456',
          tenant: 'tenant-123',
          jti: 'b1f7c2d0-5b3a',
          kid: 'key-1',
          issuedAtMs: 1_767_323_045_000,
        },
      },
    },
    {
      name: 'an expired token of a consumer',
      check: {
        pluginId: 'f2b0c5a4-3c6e-5d0c-9c57-1f6a52a8f7aa',
        epoch: '9f8e7d6c',
        version: 12,
        scheme: 'jwt',
        token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
      },
      verdict: { outcome: 'deny', cacheMs: 1000, body: { exp: 'token expired' }, reason: 'token_expired' },
    },
    {
      name: 'the API key of a consumer with groups',
      check: {
        pluginId: '0b6a1f6e-7c7e-5b5e-8d0c-2c7d6b0e4a11',
        epoch: '9f8e7d6c',
        version: 12,
        scheme: 'key',
        token: 'Zm9yLWFuLWV4YW1wbGU',
      },
      verdict: {
        outcome: 'allow',
        cacheMs: 60_000,
        consumer: { id: 'consumer-1', username: 'alice' },
        credential: { id: 'key-1', identifier: 'key-1' },
        groups: ['gold', 'beta'],
      },
    },
    {
      name: 'an identity that upstreams can check',
      check: {
        pluginId: 'f2b0c5a4-3c6e-5d0c-9c57-1f6a52a8f7aa',
        epoch: '9f8e7d6c',
        version: 12,
        scheme: 'jwt',
        token: 'eyJhbGciOiJFUzM4NCJ9.e30.c2ln',
        signedBy: 'a1c2e3f4-5b6d-5e7f-8a9b-0c1d2e3f4a5b',
      },
      verdict: {
        outcome: 'allow',
        cacheMs: 60_000,
        credential: { id: 'logto', identifier: 'https://auth.example.com/oidc' },
        tenantId: 'tenant-123',
        userId: 'user-456',
        signedIdentity: 'eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.eyJ0ZW5hbnRfaWQiOiJ0ZW5hbnQtMTIzIn0.c2ln',
      },
    },
    {
      name: 'a user name nobody has',
      check: {
        pluginId: '5f1c3e2a-9b1d-5a55-9a3e-6c1f0d2b7e22',
        epoch: '9f8e7d6c',
        version: 12,
        scheme: 'basic',
        token: 'bm9ib2R5OnB3',
      },
      verdict: {
        outcome: 'deny',
        cacheMs: 1000,
        body: { message: 'Unauthorized' },
        reason: 'no_credentials',
      },
    },
    {
      name: 'a signature that does not fit',
      check: {
        pluginId: '8e4d2c1b-3a5f-5c66-8b2a-1d0e9f8c7b33',
        epoch: '9f8e7d6c',
        version: 12,
        scheme: 'hmac',
        token: 'c2lnbmF0dXJl',
        hmac: {
          username: 'alice',
          algorithm: 'hmac-sha256',
          signingString: 'date: Thu, 22 Jun 2017 17:15:21 GMT\nGET /requests HTTP/1.1',
        },
      },
      verdict: {
        outcome: 'deny',
        cacheMs: 0,
        body: { message: 'HMAC signature does not match' },
        reason: 'invalid_signature',
      },
    },
  ],
});

import { z } from 'zod';
import { batchedRequest } from '../contract.ts';

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
    scheme: z.enum(['jwt']),
    token: z.string().min(1).max(32_768),
  }),
  verdict: z.object({
    outcome: z.enum(['allow', 'deny']),
    /** How long the asker may reuse this verdict, in ms from receipt; never past the token's `exp`. */
    cacheMs: z.int().nonnegative(),
    consumer: z
      .object({ id: z.string(), username: z.string().optional(), customId: z.string().optional() })
      .optional(),
    credential: z.object({ id: z.string(), identifier: z.string() }).optional(),
    tenantId: z.string().optional(),
    platformId: z.string().optional(),
    userId: z.string().optional(),
    /** Only claims that plugins may show or log; never the token. */
    claims: z.record(z.string(), scalar).optional(),
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
  ],
});

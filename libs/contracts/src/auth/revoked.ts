import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';

/** What a revocation may name a token by. */
export const REVOCABLE = ['subject', 'jti', 'tenant', 'kid', 'consumer'] as const;
export type Revocable = (typeof REVOCABLE)[number];

const MAX_VALUE_CHARS = 1024;
const MAX_REASON_CHARS = 1000;
const value = z.string().min(1).max(MAX_VALUE_CHARS);

/**
 * Tokens that are refused although they verify: those that carry the value and were issued before `notBeforeMs`, or
 * say not when. A `jti` names one token, which is refused whenever it was issued. Nothing is ever taken back: of two
 * revocations of the same value the later instant holds.
 */
export const revocation = z.object({
  /** `subject`: the claim `sub`; `tenant`: as verified; `kid`: of the key that signed; `consumer`: its id. */
  by: z.enum(REVOCABLE),
  value,
  /** The claim `iss`; absent: tokens of every issuer. */
  issuer: value.optional(),
  /** Unix time in ms, compared with the claim `iat`. */
  notBeforeMs: z.int().nonnegative(),
  reason: z.string().max(MAX_REASON_CHARS).optional(),
});
export type Revocation = z.output<typeof revocation>;

/** What an operator asks the Admin API for: `POST /sluice/revocations`. */
export const revocationRequest = z.strictObject({
  by: z.enum(REVOCABLE).describe('What the tokens are named by.'),
  value: value.describe(
    'The claim `sub` or `jti`, the tenant, the `kid` of a key, a consumer’s id or username.',
  ),
  issuer: value.optional().describe('Only tokens with this claim `iss`.'),
  notBefore: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Tokens issued before this instant (RFC 3339) are refused; default: now.'),
  reason: z.string().max(MAX_REASON_CHARS).optional().describe('Why, for the list.'),
});

/** What of a verified token a revocation may name; it travels with the verdict, so that the edge can tell too. */
export const tokenMarks = z.object({
  subject: z.string().optional(),
  jti: z.string().optional(),
  tenant: z.string().optional(),
  kid: z.string().optional(),
  consumer: z.string().optional(),
  /** The claim `iss`. */
  issuer: z.string().optional(),
  /** The claim `iat` as Unix time in ms; absent: it says not when. */
  issuedAtMs: z.number().optional(),
});
export type TokenMarks = z.output<typeof tokenMarks>;

const example = {
  eventId: '0193a5c0-7e1a-7b7e-9d3c-2f6b8c1d0e11',
  occurredAt: '2026-01-02T03:04:05.000Z',
  tenantId: '*',
  platformId: 'sluice',
  actor: 'olga',
  payload: {
    by: 'subject' as const,
    value: 'user-456',
    issuer: 'https://auth.example.com/oidc',
    notBeforeMs: 1_767_323_045_000,
    reason: 'laptop stolen',
  },
};
const examples = [
  { name: 'all tokens of a user', payload: example },
  {
    name: 'one token',
    payload: {
      ...example,
      payload: { by: 'jti' as const, value: 'b1f7c2d0-5b3a', notBeforeMs: 1_767_323_045_000 },
    },
  },
];

/** The list itself: the newest revocation of each value. Readers take it from `auth.live.revoked` and by direct get. */
export const authRevoked = event({
  subject: 'auth.revoked.{id}',
  summary: 'Tokens are refused from now on; `{id}` is a digest of what they are named by.',
  owner: 'config-registry',
  readers: ['config-registry'],
  stream: 'REVOCATIONS',
  payload: envelopeOf(revocation),
  examples,
});

/** What the stream accepted, republished by the server: what auth and every edge listen to. */
export const authLiveRevoked = event({
  subject: 'auth.live.revoked.{id}',
  summary: 'A revocation the list has accepted.',
  owner: 'config-registry',
  readers: ['auth', 'edge-proxy', 'config-registry'],
  payload: envelopeOf(revocation),
  examples,
});

import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';

const MAX_NAME_CHARS = 200;
const MAX_TENANT_CHARS = 256;
const MAX_GRACE_SECONDS = 30 * 86_400;
const MAX_TTL_SECONDS = 10 * 366 * 86_400;

const keyId = z.string().regex(/^[0-9a-f]{24}$/);
/** Becomes a header line. */
const identifier = z
  .string()
  .min(1)
  .max(MAX_TENANT_CHARS)
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without blanks');
const instantMs = z.int().nonnegative();

/** An API key of a tenant as it is stored; its text is nowhere. */
export const apiKey = z.object({
  id: keyId,
  name: z.string().max(MAX_NAME_CHARS),
  tenantId: identifier,
  platformId: identifier.optional(),
  /** HMAC-SHA-256 of the key's text with the server's pepper, in hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Unix time in ms, as all of these. */
  createdAtMs: instantMs,
  createdBy: z.string().max(256),
  expiresAtMs: instantMs.optional(),
  revokedAtMs: instantMs.optional(),
  /** The key that took its place. */
  successorId: keyId.optional(),
});
export type ApiKey = z.output<typeof apiKey>;

/** What an operator asks for: `POST /sluice/keys`. */
export const apiKeyRequest = z.strictObject({
  tenant: identifier.describe('Tenant the key speaks for.'),
  name: z.string().min(1).max(MAX_NAME_CHARS).describe('What it is for, for the list.'),
  platform: identifier.optional().describe('Platform the key speaks for.'),
  ttlSeconds: z
    .int()
    .min(1)
    .max(MAX_TTL_SECONDS)
    .optional()
    .describe('When it ends, from now; absent: never.'),
});

/** `POST /sluice/keys/{id}/rotate`. */
export const apiKeyRotation = z.strictObject({
  graceSeconds: z
    .int()
    .min(0)
    .max(MAX_GRACE_SECONDS)
    .default(86_400)
    .describe('How long the old key is still taken; 0: it is revoked.'),
});

const stored = {
  id: 'a1b2c3d4e5f60718293a4b5c',
  name: 'billing export',
  tenantId: 'tenant-123',
  hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  createdAtMs: 1_767_323_045_000,
  createdBy: 'olga',
};
const envelope = {
  eventId: '0193a5c0-7e1a-7b7e-9d3c-2f6b8c1d0e21',
  occurredAt: '2026-01-02T03:04:05.000Z',
  tenantId: 'tenant-123',
  platformId: 'sluice',
  actor: 'olga',
};

/** The keys themselves: the newest message of each is its state. */
export const authKeyStored = event({
  subject: 'auth.key.stored.{id}',
  summary: 'An API key of a tenant was created or changed; read by direct get.',
  owner: 'config-registry',
  readers: ['auth', 'config-registry'],
  stream: 'API_KEYS',
  payload: envelopeOf(apiKey),
  examples: [
    { name: 'a new key', payload: { ...envelope, payload: stored } },
    {
      name: 'a key that was rotated',
      payload: {
        ...envelope,
        payload: {
          ...stored,
          platformId: 'platform-1',
          expiresAtMs: 1_767_409_445_000,
          successorId: 'b1b2c3d4e5f60718293a4b5c',
        },
      },
    },
  ],
});

/** When a key was last taken; said once a minute at most, by each auth process. */
export const authKeyUsed = event({
  subject: 'auth.key.used.{id}',
  summary: 'An API key was used; the newest message says when.',
  owner: 'auth',
  readers: ['config-registry'],
  stream: 'API_KEY_USES',
  payload: envelopeOf(z.object({ id: keyId, usedAtMs: instantMs })),
  examples: [
    {
      name: 'a key in use',
      payload: {
        ...{ ...envelope, actor: 'auth-1' },
        payload: { id: 'a1b2c3d4e5f60718293a4b5c', usedAtMs: 1_767_323_100_000 },
      },
    },
  ],
});

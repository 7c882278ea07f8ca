import { type ApiKey, apiKeyRequest, apiKeyRotation } from '@sluice/contracts';
import { StreamFull } from '@sluice/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ApiKeyRing, IssuedKey, KnownKey } from '../api-keys.ts';
import type { AdminParts } from './admin-api.ts';
import { authorship } from './authorship.ts';
import { endpoint } from './endpoint.ts';
import { readBody } from './read-body.ts';

const MAX_SHOWN = 1000;

/** `/sluice/keys`: API keys of tenants. A key's text is answered once, where it is made. */
export const keyRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  endpoint(app, '/sluice/keys', {
    GET: (request, reply) =>
      withKeys(parts, reply, async (keys) => {
        const { tenant } = request.query as { tenant?: string | string[] };
        const known = await keys.list(Array.isArray(tenant) ? tenant[0] : tenant);
        return { data: known.slice(0, MAX_SHOWN).map(shownWithUse), total: known.length };
      }),
    POST: (request, reply) =>
      withKeys(parts, reply, async (keys) => {
        const asked = await readJson(request, apiKeyRequest);
        if (typeof asked === 'string') return refuse(reply, 400, 'invalid_request', asked);
        const issued = await keys.create(asked, authorship(request).author);
        return handOver(reply, issued, {});
      }),
  });
  endpoint(app, '/sluice/keys/:id/rotate', {
    POST: (request, reply) =>
      withKeys(parts, reply, async (keys) => {
        const asked = await readJson(request, apiKeyRotation);
        if (typeof asked === 'string') return refuse(reply, 400, 'invalid_request', asked);
        const rotated = await keys.rotate(idOf(request), asked.graceSeconds, authorship(request).author);
        if (rotated === 'unknown') return unknown(reply);
        if (rotated === 'ended')
          return refuse(
            reply,
            409,
            'key_ended',
            'The key has ended or was rotated before: rotate its successor, or create a new one.',
          );
        return handOver(reply, rotated, { previous: shown(rotated.previous) });
      }),
  });
  endpoint(app, '/sluice/keys/:id', {
    DELETE: (request, reply) =>
      withKeys(parts, reply, async (keys) => {
        const revoked = await keys.revoke(idOf(request), authorship(request).author);
        if (revoked === 'unknown') return unknown(reply);
        return { key: shown(revoked.key), confirmation: revoked.confirmation };
      }),
  });
};

const withKeys = async (
  { apiKeys, bus, logger }: AdminParts,
  reply: FastifyReply,
  work: (keys: ApiKeyRing) => Promise<unknown>,
): Promise<unknown> => {
  if (apiKeys === undefined)
    return refuse(
      reply,
      501,
      'keys_off',
      'There are no API keys of tenants: set API_KEY_PEPPER, the same for auth and config-registry.',
    );
  if (!bus.isConnected) return unavailable(reply);
  try {
    return await work(apiKeys);
  } catch (error) {
    if (error instanceof StreamFull)
      return refuse(reply, 507, 'keys_full', 'No more keys can be stored, so none was made.');
    logger.error({ err: error }, 'API keys could not be read or stored');
    return unavailable(reply);
  }
};

const unavailable = (reply: FastifyReply) =>
  refuse(
    reply.header('retry-after', '1'),
    503,
    'keys_unavailable',
    'API keys cannot be read or stored now; list them before you try again.',
  );

const unknown = (reply: FastifyReply) =>
  refuse(reply, 404, 'key_unknown', 'There is no such key: give the id that the list shows.');

const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;

/** A text says what is wrong. No body is an empty object. */
const readJson = async <T extends z.ZodType>(
  request: FastifyRequest,
  schema: T,
): Promise<z.output<T> | string> => {
  const body = await readBody(request);
  if (body.kind !== 'json' && body.kind !== 'none')
    return 'send a JSON object, with content-type application/json';
  const parsed = schema.safeParse(body.kind === 'json' ? body.value : {});
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
};

const handOver = (reply: FastifyReply, { key, text }: IssuedKey, more: object) =>
  reply
    .code(201)
    .header('cache-control', 'no-store')
    .send({ key: shown(key), text, ...more });

const instant = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();

const stateOf = ({ revokedAtMs, expiresAtMs, successorId }: ApiKey): string => {
  if (revokedAtMs !== undefined) return 'revoked';
  if (expiresAtMs !== undefined && expiresAtMs <= Date.now()) return 'expired';
  return successorId === undefined ? 'active' : 'rotated';
};

/** A key as people see it: neither its text nor its hash. */
const shown = (key: ApiKey) => ({
  id: key.id,
  name: key.name,
  tenant: key.tenantId,
  platform: key.platformId ?? null,
  state: stateOf(key),
  createdAt: instant(key.createdAtMs),
  createdBy: key.createdBy,
  expiresAt: instant(key.expiresAtMs),
  revokedAt: instant(key.revokedAtMs),
  successor: key.successorId ?? null,
});

const shownWithUse = ({ key, lastUsedMs }: KnownKey) => ({ ...shown(key), lastUsedAt: instant(lastUsedMs) });

const refuse = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).send({ error: { code, message, details: {} } });

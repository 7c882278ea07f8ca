import type { StoredRevocation } from '@sluice/config-log';
import { type Revocation, revocationRequest } from '@sluice/contracts';
import { StreamFull } from '@sluice/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { toldElsewhere } from '../audit/told.ts';
import type { AdminParts } from './admin-api.ts';
import { type Authorship, authorship } from './authorship.ts';
import { findEntity } from './collections.ts';
import { endpoint } from './endpoint.ts';
import { readBody } from './read-body.ts';

/** How far ahead of this clock `notBefore` may be, in ms: clocks differ, but a token of tomorrow is a mistake. */
const MAX_AHEAD_MS = 60_000;
const MAX_SHOWN = 1000;

type Request = z.output<typeof revocationRequest>;

/** `/sluice/revocations`: tokens that verify and are refused all the same. Not Kong's, so errors have our own form. */
export const revocationRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  endpoint(app, '/sluice/revocations', {
    GET: async (_request, reply) => {
      const all = await parts.revocations.all();
      if (all === undefined) return unavailable(reply, 'The list of revoked tokens cannot be read now.');
      return { data: all.slice(0, MAX_SHOWN).map(shown), total: all.length };
    },
    POST: async (request, reply) => {
      const asked = await readRequest(request);
      if (typeof asked === 'string') return refuse(reply, 400, 'invalid_request', asked);
      const revocation = revocationOf(parts, asked);
      if (typeof revocation === 'string') return refuse(reply, 400, 'invalid_request', revocation);
      return revoke(parts, reply, revocation, authorship(request));
    },
  });
};

const revoke = async (
  { revocations, audit, bus, logger }: AdminParts,
  reply: FastifyReply,
  revocation: Revocation,
  { author, sourceAddress }: Authorship,
) => {
  if (!bus.isConnected) return unavailable(reply, 'The bus is not connected, so nothing was revoked.');
  try {
    const { stored, isNew, confirmation } = await revocations.revoke(revocation, author);
    reply.code(isNew ? 201 : 200);
    toldElsewhere(reply);
    const { message, ...details } = { ...shown(stored), message: revocation.reason };
    await audit.record({
      actor: author,
      entry: {
        ...{ action: 'token.revoked', outcome: 'done', address: sourceAddress },
        details: { ...details, isNew },
        ...(message === undefined ? {} : { message }),
      },
    });
    return { revocation: shown(stored), isNew, confirmation };
  } catch (error) {
    if (error instanceof StreamFull)
      return refuse(
        reply,
        507,
        'revocations_full',
        'The list of revoked tokens is full, so nothing was revoked. Revoke by subject, tenant or kid instead of token by token.',
      );
    logger.error({ err: error }, 'revocation not stored');
    return unavailable(
      reply,
      'The list of revoked tokens did not answer, so it is not known whether this was stored. Repeat it: revoking twice does no harm.',
    );
  }
};

/** A text says what is wrong. */
const readRequest = async (request: FastifyRequest): Promise<Request | string> => {
  const body = await readBody(request);
  if (body.kind !== 'json') return 'send a JSON object, with content-type application/json';
  const parsed = revocationRequest.safeParse(body.value);
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
};

const revocationOf = (parts: AdminParts, asked: Request): Revocation | string => {
  const { by, issuer, reason, notBefore } = asked;
  const now = Date.now();
  // Tokens tell whole seconds: those of the running one count as issued before.
  const notBeforeMs = notBefore === undefined ? Math.ceil(now / 1000) * 1000 : Date.parse(notBefore);
  if (notBeforeMs > now + MAX_AHEAD_MS)
    return 'notBefore: is more than a minute ahead; give an instant up to now, tokens of the future can be revoked then';
  const consumer = by === 'consumer' ? findEntity(viewOf(parts), 'consumers', asked.value) : undefined;
  if (by === 'consumer' && consumer === undefined)
    return 'value: the configuration has no such consumer; give its id or username';
  return {
    by,
    value: consumer?.id ?? asked.value,
    notBeforeMs,
    ...(issuer === undefined ? {} : { issuer }),
    ...(reason === undefined ? {} : { reason }),
  };
};

const viewOf = ({ follower, index }: AdminParts) => ({ state: follower.state, index });

const shown = ({ revocation, occurredAt, actor }: StoredRevocation) => {
  const { notBeforeMs, ...rest } = revocation;
  return { ...rest, notBefore: new Date(notBeforeMs).toISOString(), revokedAt: occurredAt, revokedBy: actor };
};

const refuse = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).send({ error: { code, message, details: {} } });

const unavailable = (reply: FastifyReply, message: string) =>
  refuse(reply.header('retry-after', '1'), 503, 'revocations_unavailable', message);

import { readForm, refuseHostile, showPath } from '@sluice/gateway-config';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Submission } from '../entities/write-entity.ts';
import { readBody } from './read-body.ts';

/** The entity in a body; undefined: the request is answered already, the body was none. */
export const readSubmission = async (
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Submission | undefined> => {
  const body = await readBody(request);
  if (body.kind === 'unsupported' || body.kind === 'yaml') {
    await reply.code(415).send();
    return undefined;
  }
  if (body.kind === 'unreadable') {
    await reply.code(400).send({ message: body.message });
    return undefined;
  }
  if (body.kind === 'none') return () => ({});
  const keys = body.kind === 'form' ? body.entries.map(([key]) => key.split(/[.[\]]/)) : undefined;
  const hostile = refuseHostile(body.kind === 'json' ? body.value : undefined);
  if (hostile !== undefined || keys?.some((steps) => steps.includes('__proto__'))) {
    const why = hostile ?? { message: "the key '__proto__' is not allowed", path: [] };
    const place = why.path.length === 0 ? '' : ` (in ${showPath(why.path.slice(0, 8))})`;
    await reply.code(400).send({ message: `${why.message}${place}` });
    return undefined;
  }
  return body.kind === 'json' ? () => body.value : (fields) => readForm(fields, body.entries);
};

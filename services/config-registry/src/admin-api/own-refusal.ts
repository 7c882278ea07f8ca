import type { ConfigError } from '@sluice/gateway-config';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The form of errors where Kong has none. */
export const refuse = (reply: FastifyReply, status: number, { code, message, details = {} }: Refusal) =>
  reply.code(status).send({ error: { code, message, details } });

/** A configuration that is none; every problem is in the details. */
export const notValid = (reply: FastifyReply, status: number, what: string, { problems }: ConfigError) =>
  refuse(reply, status, {
    code: 'config_invalid',
    message: `${what}: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    details: { problems },
  });

/** A request that does not say what it should; `name` is that of the one value that was looked at. */
export const invalid = (reply: FastifyReply, { issues }: z.ZodError, name?: string) =>
  refuse(reply, 400, {
    code: 'invalid_request',
    message: issues
      .map(({ path, message }) => [name ?? path.join('.'), message].filter(Boolean).join(': '))
      .join('; '),
  });

import type { FastifyRequest } from 'fastify';

const checks = new WeakMap<FastifyRequest, () => boolean>();

/** Keeps how to see whether who was let in would be let in again. */
export const keepCheck = (request: FastifyRequest, check: () => boolean): void =>
  void checks.set(request, check);

/** For answers that go on for hours: false once the session has ended. */
export const isStillAllowed = (request: FastifyRequest): boolean => checks.get(request)?.() ?? true;

import type { FastifyReply } from 'fastify';

const told = new WeakSet<FastifyReply>();

/** Somebody tells the audit of this request who has more to say than the request itself. */
export const toldElsewhere = (reply: FastifyReply): void => void told.add(reply);

export const isTold = (reply: FastifyReply): boolean => told.has(reply);

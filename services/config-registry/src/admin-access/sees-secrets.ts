import type { FastifyRequest } from 'fastify';
import { includesRole, type Role } from './admin-tokens.ts';

const roles = new WeakMap<FastifyRequest, Role>();

/** Keeps as what somebody was let in. */
export const keepRole = (request: FastifyRequest, role: Role): void => void roles.set(request, role);

/** Whether an answer may hold secrets in plain text, as Kong gives them: always where there are no tokens. */
export const seesSecrets = (request: FastifyRequest): boolean =>
  includesRole(roles.get(request) ?? 'admin', 'operator');

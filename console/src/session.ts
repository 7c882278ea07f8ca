import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Role, SessionAnswer } from './api/answers.ts';

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

export const SessionOf = createContext<SessionAnswer>({ name: null, role: 'viewer', csrf: null });

/** Whether who is logged in may do what takes a role. The registry judges anew. */
export const useMay = (needed: Role): boolean => {
  const { role } = useContext(SessionOf);
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
};

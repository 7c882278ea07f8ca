import { createHash, timingSafeEqual } from 'node:crypto';

/** From the least to the most. viewer reads; operator changes the configuration; admin handles credentials. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who may use the Admin API, by a token that only its digest is kept of. */
export interface AdminToken {
  readonly name: string;
  readonly role: Role;
  readonly digest: Buffer;
}

const MIN_TOKEN_CHARS = 32;
const ENTRY = /^([A-Za-z0-9_.-]{1,64}):([a-z]+):(.+)$/;

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/**
 * Reads `name:role:token`, separated by commas or blanks.
 * @throws Error naming the entry by its number, and never the token.
 */
export const readAdminTokens = (text: string): readonly AdminToken[] => {
  const tokens = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(readEntry);
  if (new Set(tokens.map(({ name }) => name)).size < tokens.length)
    throw new Error('two entries have the same name: each needs its own, it stands in the history');
  if (new Set(tokens.map(({ digest }) => digest.toString('hex'))).size < tokens.length)
    throw new Error('two entries have the same token: each needs its own');
  return tokens;
};

const readEntry = (entry: string, at: number): AdminToken => {
  const [, name = '', role = '', token = ''] = ENTRY.exec(entry) ?? [];
  const known = ROLES.find((one) => one === role);
  if (known === undefined)
    throw new Error(`entry ${at + 1} is not name:role:token with a role of ${ROLES.join(', ')}`);
  if (token.length < MIN_TOKEN_CHARS)
    throw new Error(
      `the token of entry ${at + 1} has less than ${MIN_TOKEN_CHARS} characters; make one with: openssl rand -hex 32`,
    );
  return { name, role: known, digest: digestOf(token) };
};

/** Whose token it is; every entry is looked at, so that time tells nothing. */
export const tokenNamed = (tokens: readonly AdminToken[], presented: string): AdminToken | undefined => {
  const digest = digestOf(presented);
  let found: AdminToken | undefined;
  for (const token of tokens) if (timingSafeEqual(token.digest, digest)) found = token;
  return found;
};

/** Whether a role includes another. */
export const includesRole = (role: Role, needed: Role): boolean =>
  ROLES.indexOf(role) >= ROLES.indexOf(needed);

import { createHash, randomInt } from 'node:crypto';
import type { Kind } from '@sluice/contracts';
import type { ConfigState } from './state.ts';

type Entity = Record<string, unknown>;

const ALPHANUMERICS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 32;

/** 32 random letters and digits, Kong's form of a generated key. */
export const randomSecret = (): string =>
  Array.from({ length: LENGTH }, () => ALPHANUMERICS[randomInt(ALPHANUMERICS.length)]).join('');

/** Fields that are drawn when they are not given. */
const GENERATED: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  keyauth_credentials: ['key'],
  jwt_secrets: ['key', 'secret'],
  hmacauth_credentials: ['secret'],
  oauth2_credentials: ['client_id', 'client_secret'],
};

/**
 * Draws what was left out. What an earlier state already drew for the same entity is kept, so that loading a
 * file again changes no one's key.
 */
export const generateSecrets = (kind: Kind, entity: Entity, previous: ConfigState | undefined): void => {
  for (const field of GENERATED[kind] ?? []) {
    if (typeof entity[field] === 'string') continue;
    const before = previous?.get(kind, String(entity.id)) as Entity | undefined;
    const known = before?.[field];
    entity[field] = typeof known === 'string' ? known : randomSecret();
  }
};

/** A basic-auth password as Kong stores it: hex SHA-1 of password and consumer id. */
export const hashPassword = (password: string, consumerId: string): string =>
  createHash('sha1').update(`${password}${consumerId}`).digest('hex');

/** Plain secrets become stored ones. Not for documents that say `_transform: false`. */
export const transformSecrets = (kind: Kind, entity: Entity): void => {
  if (kind !== 'basicauth_credentials') return;
  const { id } = entity.consumer as { id: string };
  entity.password = hashPassword(String(entity.password), id);
};

import type { Consumer, Issuer } from '@sluice/gateway-config';
import { type JsonObject, ownValue } from './jwt-format.ts';

const SHOWN = ['sub', 'iss', 'client_id', 'scope'] as const;
const MAX_LENGTH = 256; // characters; identities become header lines

/** The contract's form of a consumer: what is not set is absent. */
export const consumerOf = ({ id, username, custom_id }: Consumer) => ({
  id,
  ...(username === null ? {} : { username }),
  ...(custom_id === null ? {} : { customId: custom_id }),
});

/** The claims that say whom a token speaks for. */
type IdentityClaims = Pick<Issuer, 'tenant_claim' | 'platform_claim' | 'user_claim'>;

/** Of tokens that no issuer entry is for. */
const USUAL_CLAIMS = { tenant_claim: 'tenant_id', platform_claim: 'platform_id', user_claim: 'sub' } as const;

/**
 * Whom a consumer's token speaks for: without a tenant, nobody but its consumer, as in Kong. Undefined: its tenant
 * cannot be told.
 */
export const consumerTokenIdentityOf = (claims: JsonObject, alsoShown: readonly string[]) => {
  const identity = issuerIdentityOf(claims, USUAL_CLAIMS, alsoShown);
  return identity === undefined || 'tenantId' in identity ? identity : { claims: identity.claims };
};

/**
 * Whom an issuer's token speaks for, by the claims that the issuer entry names. Undefined: there is a tenant, but in
 * no form that could be one. As if absent, it would let the client name any.
 */
export const issuerIdentityOf = (
  claims: JsonObject,
  issuer: IdentityClaims,
  alsoShown: readonly string[],
) => {
  if (isUnusable(claims, issuer.tenant_claim)) return undefined;
  const tenantId = identifierOf(claims, issuer.tenant_claim);
  const platformId = identifierOf(claims, issuer.platform_claim);
  const userId = identifierOf(claims, issuer.user_claim);
  return {
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(platformId === undefined ? {} : { platformId }),
    ...(userId === undefined ? {} : { userId }),
    claims: { ...shownClaimsOf(claims, alsoShown), ...(tenantId === undefined ? {} : { tenant: tenantId }) },
  };
};

const isUnusable = (claims: JsonObject, name: string): boolean => {
  const value = ownValue(claims, name);
  const isAbsent = value === undefined || value === null || value === '';
  return !isAbsent && identifierOf(claims, name) === undefined;
};

/** The claims that plugins may show or log. */
const shownClaimsOf = (claims: JsonObject, alsoShown: readonly string[]): Record<string, string> => {
  const shown: Record<string, string> = {};
  for (const name of [...SHOWN, ...alsoShown]) {
    const value = identifierOf(claims, name);
    if (value !== undefined) shown[name] = value;
  }
  return shown;
};

/** A claim that can be an identity; one that no header line could carry is as good as absent. */
const identifierOf = (claims: JsonObject, name: string): string | undefined => {
  const value = ownValue(claims, name);
  const text = typeof value === 'number' ? `${value}` : value;
  if (typeof text !== 'string' || text === '' || text.length > MAX_LENGTH) return undefined;
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined;
};

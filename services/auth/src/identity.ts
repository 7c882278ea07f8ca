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

/** Whom an issuer's token speaks for, by the claims that the issuer entry names. */
export const issuerIdentityOf = (claims: JsonObject, issuer: Issuer) => {
  const tenantId = identifierOf(claims, issuer.tenant_claim);
  const platformId = identifierOf(claims, issuer.platform_claim);
  const userId = identifierOf(claims, issuer.user_claim);
  return {
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(platformId === undefined ? {} : { platformId }),
    ...(userId === undefined ? {} : { userId }),
    claims: { ...shownClaimsOf(claims), ...(tenantId === undefined ? {} : { tenant: tenantId }) },
  };
};

/** The claims that plugins may show or log. */
export const shownClaimsOf = (claims: JsonObject): Record<string, string> => {
  const shown: Record<string, string> = {};
  for (const name of SHOWN) {
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

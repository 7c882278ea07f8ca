import { looksLikeApiKey } from '@sluice/contracts';
import type { PluginEntity } from '@sluice/gateway-config';
import type { Check, Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';
import { verifyApiKey } from './verify-api-key.ts';
import { verifyBasic } from './verify-basic.ts';
import { verifyHmac } from './verify-hmac.ts';
import { verifyJwt } from './verify-jwt.ts';
import { verifyKey } from './verify-key.ts';

/** The plugins in whose name a credential of each scheme may be asked about. */
export const PLUGINS_OF = {
  jwt: ['jwt', 'oidc'],
  key: ['key-auth'],
  basic: ['basic-auth'],
  hmac: ['hmac-auth'],
} as const satisfies Record<Check['scheme'], readonly string[]>;

/** The verdict on a credential, by its scheme. `plugin` is the instance that asks. */
export const verifyCredential = (
  verifier: Verifier,
  plugin: PluginEntity,
  check: Check,
): Verdict | Promise<Verdict> => {
  switch (check.scheme) {
    case 'jwt':
      return verifyJwt(verifier, plugin, check.token);
    case 'key':
      return isOfTenant(verifier, check.token)
        ? verifyApiKey(verifier, check.token)
        : verifyKey(verifier, check.token);
    case 'basic':
      return verifyBasic(verifier, check.token);
    case 'hmac':
      return verifyHmac(verifier, check);
  }
};

/** A consumer's key may look as it likes. */
const isOfTenant = ({ credentials }: Verifier, key: string): boolean =>
  looksLikeApiKey(key) && credentials.ofConsumers.apiKey(key) === undefined;

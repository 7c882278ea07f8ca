import { MAX_SIGNED_IDENTITY_CHARS } from '@sluice/contracts';
import type { PluginEntity } from '@sluice/gateway-config';
import { CheckFailed } from '@sluice/service-kit';
import { z } from 'zod';
import type { IdentityKeys } from './identity-keys.ts';
import type { Check, Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/** On its way from the edge to an upstream an identity has at least so long to live, in seconds. */
const LEFT_ON_ARRIVAL_SECONDS = 30;

/** What of tenant-binding's settings says whom an identity names, and to whom. */
const BindingConfig = z.object({
  tenant_claim: z.string().nullish(),
  platform_claim: z.string().nullish(),
  user_claim: z.string().nullish(),
  identity_audience: z.string().nullish(),
});

/** Who signs, in whose name. */
export interface IdentitySigner {
  readonly keys: IdentityKeys;
  /** The `iss` of what is signed. */
  readonly issuer: string;
}

/** The verdict with its identity signed, where the check asks for that. */
export const withSignedIdentity = (
  verifier: Verifier,
  { signedBy }: Check,
  verdict: Verdict,
  signer: IdentitySigner | undefined,
): Verdict => {
  if (signedBy === undefined || verdict.outcome === 'deny') return verdict;
  const binding = verifier.credentials.plugin(signedBy, ['tenant-binding']);
  if (binding === undefined)
    throw new CheckFailed(
      'unknown_plugin',
      `no enabled tenant-binding plugin ${signedBy} in the configuration`,
    );
  // Without its signature the upstream would take the request for one that nobody verified.
  if (signer === undefined)
    throw new CheckFailed(
      'no_identity_keys',
      'tenant-binding wants identities signed: set IDENTITY_KEYS_FILE in the environment of auth',
    );
  const signedIdentity = signer.keys.sign(claimsOf(verdict, binding, signer.issuer, verifier.clock()));
  if (signedIdentity.length > MAX_SIGNED_IDENTITY_CHARS)
    throw new CheckFailed('identity_too_long', 'the identity is too long for a header line');
  return { ...verdict, signedIdentity };
};

/** It lives as long as an edge may reuse the verdict, and a little longer. */
const claimsOf = (
  { cacheMs, consumer, credential, groups, ...verdict }: Verdict,
  binding: PluginEntity,
  issuer: string,
  nowMs: number,
): Record<string, unknown> => {
  const config = BindingConfig.parse(binding.config);
  const named = (claim: string | null | undefined, usual: string | undefined) => {
    const value = claim == null ? usual : verdict.claims?.[claim];
    return value === undefined ? undefined : `${value}`;
  };
  const iat = Math.floor(nowMs / 1000);
  const userId = named(config.user_claim, verdict.userId);
  return {
    iss: issuer,
    aud: config.identity_audience,
    iat,
    exp: iat + Math.ceil(cacheMs / 1000) + LEFT_ON_ARRIVAL_SECONDS,
    sub: userId ?? consumer?.id ?? credential?.id,
    tenant_id: named(config.tenant_claim, verdict.tenantId),
    platform_id: named(config.platform_claim, verdict.platformId),
    user_id: userId,
    consumer: consumer && {
      id: consumer.id,
      username: consumer.username,
      custom_id: consumer.customId,
    },
    credential: credential?.identifier,
    groups,
  };
};

import type { JwtSecret, PluginEntity } from '@sluice/gateway-config';
import { CheckFailed } from '@sluice/service-kit';
import { type ClaimProblems, checkClaims } from './check-claims.ts';
import { keySourceOf, type TrustedIssuer } from './credentials.ts';
import type { KeySource } from './fetch-keys.ts';
import { consumerTokenIdentityOf, issuerIdentityOf } from './identity.ts';
import { ownValue, parseToken, type Token } from './jwt-format.ts';
import { type IssuerRules, type JwtRules, type Rules, rulesOf } from './jwt-rules.ts';
import { type Foundation, marksOf } from './token-marks.ts';
import { consumerIdentityOf, deny as denyWith, type Verdict } from './verdict.ts';
import { verificationKey } from './verification-key.ts';
import type { Verifier } from './verifier.ts';
import { type SignatureOutcome, verifyWithKey, verifyWithKeySet } from './verify-signature.ts';

/**
 * The verdict on a token: parse → whose key → algorithm → signature → claims → identity → not revoked. A token of a trusted issuer
 * is judged by the issuer's rules, every other one as Kong does (kong-compat 4.1, steps 4 to 10). What it needs of
 * the configuration is read before the first wait, so a verdict belongs to one version.
 */
export const verifyJwt = (verifier: Verifier, plugin: PluginEntity, text: string): Promise<Verdict> => {
  const rules = rulesOf(plugin);
  const token = parseToken(text);
  if (typeof token === 'string') return Promise.resolve(deny('bad_token', `Bad token; ${token}`));
  const iss = ownValue(token.claims, 'iss');
  const issuer = typeof iss === 'string' ? verifier.credentials.issuerOf(iss) : undefined;
  if (issuer !== undefined) return verifyForIssuer(verifier, rules, token, issuer);
  const { forConsumers, maximumExpiration } = rules;
  if (forConsumers === undefined)
    return Promise.resolve(deny('unknown_issuer', "No credentials found for given 'iss'"));
  return verifyForConsumer(verifier, { ...forConsumers, maximumExpiration }, token);
};

const verifyForConsumer = async (
  verifier: Verifier,
  rules: JwtRules & Pick<Rules, 'maximumExpiration'>,
  token: Token,
): Promise<Verdict> => {
  const { credentials } = verifier;
  const name = rules.keyClaim;
  const inClaims = ownValue(token.claims, name);
  const key = isSet(inClaims) ? inClaims : ownValue(token.header, name);
  if (!isSet(key)) return deny('no_key_claim', `No mandatory '${name}' in claims`);
  if (typeof key !== 'string' || key === '') return deny('invalid_key_claim', `Invalid '${name}' in claims`);
  const secret = credentials.secretOf(key);
  if (secret === undefined) return deny('no_credentials', `No credentials found for given '${name}'`);
  const consumer = credentials.consumer(secret.consumer.id);
  if (token.alg !== secret.algorithm) return deny('invalid_algorithm', 'Invalid algorithm');

  const signature = await verifyWithSecret(verifier, rules, token, secret);
  if (signature === 'unusable-key') return deny('unusable_key', 'Invalid key/secret');
  if (signature !== 'valid') return deny(REASONS[signature], 'Invalid signature');

  const { claims: required, maximumExpiration } = rules;
  const times = { required, ifPresent: [], maximumExpiration, skewSeconds: 0 };
  const problems = checkClaims(token.claims, times, nowSeconds(verifier));
  if (problems !== undefined) return deny('invalid_claims', problems);
  if (consumer === undefined) return deny('no_consumer', `Could not find consumer for '${name}=${key}'`);
  const identity = consumerTokenIdentityOf(token.claims, credentials.boundClaims);
  if (identity === undefined) return deny('invalid_tenant', "Invalid 'tenant_id' in claims");
  const tenant = 'tenantId' in identity ? identity.tenantId : undefined;
  return unlessRevoked(
    verifier,
    token,
    { consumer: consumer.id, tenant },
    {
      ...consumerIdentityOf(credentials, consumer),
      credential: { id: secret.id, identifier: secret.key },
      ...identity,
    },
  );
};

const verifyForIssuer = async (
  verifier: Verifier,
  { maximumExpiration, forIssuers }: Rules,
  token: Token,
  { entity, url, keySource }: TrustedIssuer,
): Promise<Verdict> => {
  if (forIssuers.issuers?.includes(entity.name) === false)
    return deny('unknown_issuer', "No credentials found for given 'iss'");
  if (!mayBeSignedBy(token, entity.algorithms, forIssuers))
    return deny('invalid_algorithm', 'Invalid algorithm');
  const signature = await verifyWithSource(verifier, token, keySource);
  if (signature !== 'valid') return deny(REASONS[signature], 'Invalid signature');

  const skewSeconds = forIssuers.leewaySeconds ?? verifier.skewSeconds;
  const times = { required: ['exp'], ifPresent: ['nbf'], maximumExpiration, skewSeconds } as const;
  const problems = checkClaims(token.claims, times, nowSeconds(verifier));
  if (problems !== undefined) return deny('invalid_claims', problems);
  if (!isMeantFor(token, entity.audiences) || !isMeantFor(token, forIssuers.audiences))
    return deny('invalid_audience', "Invalid 'aud' in claims");
  const missing = missingScope(token, forIssuers.scopes);
  if (missing !== undefined) return deny('insufficient_scope', `The token lacks the scope '${missing}'`);
  const identity = issuerIdentityOf(token.claims, entity, verifier.credentials.boundClaims);
  if (identity === undefined) return deny('invalid_tenant', `Invalid '${entity.tenant_claim}' in claims`);
  return unlessRevoked(
    verifier,
    token,
    { tenant: identity.tenantId },
    {
      credential: { id: entity.id, identifier: url },
      ...identity,
    },
  );
};

/** The list is looked at last: a revocation that comes while the signature is verified counts. */
const unlessRevoked = (
  verifier: Verifier,
  token: Token,
  foundation: Foundation,
  identity: Partial<Verdict>,
): Verdict => {
  const marks = marksOf(token, foundation);
  if (verifier.revocations.refuses(marks)) return deny('token_revoked', 'Token revoked');
  return { outcome: 'allow', cacheMs: cacheMsOf(verifier, token), ...identity, token: marks };
};

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

const verifyWithSecret = async (
  verifier: Verifier,
  rules: Pick<JwtRules, 'isBase64'>,
  token: Token,
  secret: JwtSecret,
): Promise<SignatureOutcome> => {
  const source = keySourceOf(secret);
  if (source !== undefined && !token.alg.startsWith('HS')) return verifyWithSource(verifier, token, source);
  const key = await verificationKey(secret, rules.isBase64);
  return key === undefined ? 'unusable-key' : verifyWithKey(token, key);
};

const verifyWithSource = async (
  { keySets }: Verifier,
  token: Token,
  source: KeySource,
): Promise<SignatureOutcome> => {
  const set = keySets.of(source);
  const keys = await set?.keys();
  if (set === undefined || keys === undefined)
    throw new CheckFailed('issuer_unavailable', `no keys of ${set?.label ?? 'this source'} were fetched yet`);
  return verifyWithKeySet(token, set, keys);
};

const REASONS = {
  invalid: 'invalid_signature',
  'unknown-key': 'unknown_key',
  'unusable-key': 'unusable_key',
} as const;

const deny = (reason: string, body: string | ClaimProblems): Verdict => {
  const byClaim = typeof body === 'string' ? undefined : CLAIM_REASONS[Object.values(body)[0] ?? ''];
  return denyWith(byClaim ?? reason, body);
};

const CLAIM_REASONS: Readonly<Record<string, string>> = {
  'token expired': 'token_expired',
  'token not valid yet': 'token_not_yet_valid',
  'exceeds maximum allowed expiration': 'expiration_too_far',
};

const isMeantFor = (token: Token, audiences: readonly string[] | null): boolean => {
  if (audiences === null || audiences.length === 0) return true;
  const aud = ownValue(token.claims, 'aud');
  return (Array.isArray(aud) ? aud : [aud]).some((one) => audiences.includes(one as string));
};

/** A secret has no place in a public key set, whatever a list says. */
const mayBeSignedBy = ({ alg }: Token, listed: readonly string[], { algorithms }: IssuerRules): boolean =>
  !alg.startsWith('HS') && listed.includes(alg) && (algorithms === null || algorithms.includes(alg));

/** The first of these scopes that a token has not: `scope` is a list in a text (RFC 8693), `scp` may be one. */
const missingScope = ({ claims }: Token, scopes: readonly string[]): string | undefined => {
  if (scopes.length === 0) return undefined;
  const granted = [ownValue(claims, 'scope'), ownValue(claims, 'scp')].flatMap((value) =>
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? (value as unknown[]) : [],
  );
  return scopes.find((scope) => !granted.includes(scope));
};

const nowSeconds = ({ clock }: Verifier): number => Math.floor(clock() / 1000);

/** Never past the token's end. */
const cacheMsOf = ({ clock, verdictCacheMs }: Verifier, token: Token): number => {
  const exp = ownValue(token.claims, 'exp');
  const leftMs = typeof exp === 'number' ? Math.floor(exp * 1000 - clock()) : verdictCacheMs;
  return Math.max(0, Math.min(leftMs, verdictCacheMs));
};

import { GatewayError, MAX_CREDENTIAL_CHARS } from '@sluice/contracts';
import { toByteString, toHeaderValue } from './byte-string.ts';
import type { Exchange, Identity } from './exchange.ts';
import {
  ANONYMOUS_CONSUMER,
  CONSUMER_CUSTOM_ID,
  CONSUMER_ID,
  CONSUMER_USERNAME,
  CREDENTIAL_IDENTIFIER,
  setOrClear,
} from './headers.ts';
import type { Step } from './plugin.ts';
import type { AuthVerdict, Credential, Ports } from './ports.ts';
import { settled } from './settled.ts';

/** The settings that every authentication plugin has, and the instance they belong to. */
export interface AuthSettings {
  readonly pluginId: string;
  /** Consumer (id or username) for requests that present nothing valid; null: those are refused. */
  readonly anonymous: string | null;
  /** Absent: OPTIONS requests have to say who they are, as any other. */
  readonly run_on_preflight?: boolean;
}

/** Who is calling, or why that was not found out. */
export type Judgement = Identity | GatewayError;
export type Denial = Extract<AuthVerdict, { outcome: 'deny' }>;

/** Longer than the contract carries: nobody's, without asking. */
export const isTooLong = (credential: string): boolean => credential.length > MAX_CREDENTIAL_CHARS;

/** A 401 in the form of Kong's newer plugins: negotiated, with the scheme that would be accepted. */
export const unauthorized = (challenge: string, message = 'Unauthorized'): GatewayError =>
  new GatewayError('GW_UNAUTHENTICATED', {
    style: 'error',
    message,
    headers: { 'WWW-Authenticate': challenge },
  });

/** `Scheme realm="R"`, or the scheme alone. */
export const challengeOf = (scheme: string, realm: string | null): string =>
  realm === null ? scheme : `${scheme} realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`;

/** Asks the auth process about a credential; `refuse` says a denial in the plugin's own form. */
export const judge = (
  exchange: Exchange,
  ports: Ports,
  pluginId: string,
  credential: Credential,
  refuse: (denial: Denial) => GatewayError,
): Judgement | Promise<Judgement> =>
  settled<AuthVerdict | GatewayError, Judgement>(
    ports.verifyCredential(exchange, pluginId, credential),
    (verdict) => {
      if (verdict instanceof GatewayError) return verdict;
      return verdict.outcome === 'allow' ? verdict.identity : refuse(verdict);
    },
  );

/**
 * One authentication plugin's step. With `anonymous` the plugins of a chain are alternatives: who was
 * authenticated before passes, and who presents nothing valid goes on as that consumer. Without it each of them
 * must be satisfied.
 */
export const authenticate = (
  exchange: Exchange,
  settings: AuthSettings,
  ports: Ports,
  identify: () => Judgement | Promise<Judgement>,
): Step | Promise<Step> => {
  if (exchange.method === 'OPTIONS' && settings.run_on_preflight === false) return undefined;
  if (settings.anonymous !== null && exchange.identity?.credential !== undefined) return undefined;
  return settled<Judgement, Step>(identify(), (judgement) => {
    if (!(judgement instanceof GatewayError)) return accept(exchange, judgement, false);
    // When auth is away nobody is let in, anonymous or not.
    const isAlternative = settings.anonymous !== null && judgement.code === 'GW_UNAUTHENTICATED';
    return isAlternative ? goOnAs(exchange, settings.anonymous, ports) : judgement;
  });
};

/** Names are text that somebody chose; a header line takes bytes. */
const inHeader = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : toHeaderValue(toByteString(value));

const accept = (exchange: Exchange, identity: Identity, isAnonymous: boolean): undefined => {
  const { toUpstream } = exchange;
  exchange.identity = isAnonymous ? identity : withTenantOf(exchange.identity, identity);
  setOrClear(toUpstream, CONSUMER_ID, inHeader(identity.consumer?.id));
  setOrClear(toUpstream, CONSUMER_CUSTOM_ID, inHeader(identity.consumer?.customId));
  setOrClear(toUpstream, CONSUMER_USERNAME, inHeader(identity.consumer?.username));
  setOrClear(toUpstream, CREDENTIAL_IDENTIFIER, inHeader(identity.credential?.identifier));
  setOrClear(toUpstream, ANONYMOUS_CONSUMER, isAnonymous ? 'true' : undefined);
};

/**
 * Of several credentials the last one says which consumer it is, as in Kong. The tenant that an earlier one
 * proved stays: forgetting it would let the request claim another in a header. What is signed speaks of the one
 * that named the tenant.
 */
const withTenantOf = (before: Identity | undefined, identity: Identity): Identity =>
  before === undefined
    ? identity // as it is: what is made of it can be kept with it
    : {
        ...identity,
        tenantId: identity.tenantId ?? before.tenantId,
        platformId: identity.platformId ?? before.platformId,
        userId: identity.userId ?? before.userId,
        signed: identity.tenantId === undefined ? (before.signed ?? identity.signed) : identity.signed,
      };

const NOBODY = { credential: undefined, tenantId: undefined, platformId: undefined, userId: undefined };

const goOnAs = (exchange: Exchange, anonymous: string, ports: Ports): Step => {
  const consumer = ports.findConsumer === undefined ? { id: anonymous } : ports.findConsumer(anonymous);
  if (consumer !== undefined)
    return accept(exchange, { ...NOBODY, consumer, groups: ports.groupsOf?.(consumer.id) }, true);
  const message = `anonymous consumer ${anonymous} is configured but doesn't exist`;
  return new GatewayError('GW_PLUGIN_FAILED', { style: 'error', message });
};

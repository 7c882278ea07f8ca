import { GatewayError } from '@sluice/contracts';
import type { Exchange, HeaderList } from './exchange.ts';
import type { Step } from './plugin.ts';

/** The platform's own headers (R1 service contract). */
export const REQUEST_ID = 'X-Request-Id';
export const TENANT_ID = 'X-Tenant-Id';
export const PLATFORM_ID = 'X-Platform-Id';
export const USER_ID = 'X-User-Id';

/** What an authentication plugin tells the upstream. */
export const CONSUMER_ID = 'X-Consumer-ID';
export const CONSUMER_USERNAME = 'X-Consumer-Username';
export const CONSUMER_CUSTOM_ID = 'X-Consumer-Custom-ID';
export const CREDENTIAL_IDENTIFIER = 'X-Credential-Identifier';
export const ANONYMOUS_CONSUMER = 'X-Anonymous-Consumer';
export const CONSUMER_GROUPS = 'X-Consumer-Groups';
export const AUTHENTICATED_GROUPS = 'X-Authenticated-Groups';

/** The signed identity for upstreams (`tenant-binding`). */
export const GATEWAY_IDENTITY = 'X-Gateway-Identity';

// Whatever stands between the words: servers that hand headers on as variables take each for `-` (RFC 3875).
const IDENTITY_HEADER =
  /^x[^a-z0-9](?:(?:consumer|credential|authenticated|anonymous[^a-z0-9]consumer)(?:[^a-z0-9]|$)|gateway[^a-z0-9]identity$)/i;
/** True for headers that only the gateway may say; a client's own are never believed. */
export const isIdentityHeader = (name: string): boolean => IDENTITY_HEADER.test(name);

/** What callers that trace in another form than W3C's send; the forms are told apart by names. */
export const FOREIGN_TRACE_HEADERS: readonly string[] = [
  ...['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'uber-trace-id'],
];

const MAX_KEY_BYTES = 256;
/** Fit to stand in a key as it is: short, and without control characters. */
export const isPlainKey = (value: string): boolean =>
  PLAIN_KEY.test(value) || (Buffer.byteLength(value) <= MAX_KEY_BYTES && !/\p{Cc}/u.test(value));
/** What most names are made of: one byte each. */
const PLAIN_KEY = /^[ -~]{0,256}$/;

/**
 * Whose request it is: the verified credential's tenant, and only when the credential names none, the one the
 * request claims in `X-Tenant-Id`.
 */
export const tenantOf = ({ identity, toUpstream }: Exchange): string | undefined =>
  identity?.tenantId ?? (toUpstream.get(TENANT_ID) || undefined);

/**
 * The refusal of a request whose lines of one header say different things: counted by one of them, it could be served
 * by another.
 */
export const refuseTwoValues = ({ toUpstream }: Exchange, name: string): Step => {
  if (!toUpstream.isRepeated(name)) return undefined;
  const [first, ...others] = toUpstream.getAll(name);
  if (others.every((value) => value === first)) return undefined;
  const message = `${name} is sent more than once, with different values`;
  return new GatewayError('GW_BAD_REQUEST', { style: 'error', message });
};

/** As `refuseTwoValues`, of the tenant that a request claims; a list of tenants is none. Nothing where one is verified. */
export const refuseTwoTenants = (exchange: Exchange): Step => {
  if (exchange.identity?.tenantId !== undefined) return undefined;
  if (exchange.toUpstream.get(TENANT_ID)?.includes(',') !== true) return refuseTwoValues(exchange, TENANT_ID);
  return new GatewayError('GW_BAD_REQUEST', {
    style: 'error',
    message: `${TENANT_ID} names several tenants`,
  });
};

/** Sets the header, or removes it when there is no value. */
export const setOrClear = (headers: HeaderList, name: string, value: string | undefined): void => {
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
};

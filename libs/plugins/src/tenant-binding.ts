import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange, Identity } from './exchange.ts';
import { checked, choice, filled, headerName, record, setOf, unset } from './fields.ts';
import { GATEWAY_IDENTITY, PLATFORM_ID, setOrClear, TENANT_ID, USER_ID } from './headers.ts';
import { definePlugin, type PluginScope, type Step } from './plugin.ts';

const Fields = record({
  mode: choice(['enforce', 'trust-header'])
    .default('enforce')
    .describe(
      'enforce: the headers say what the credential says; trust-header: what the client sent counts, as in Kong.',
    ),
  tenant_claim: unset(filled()).describe(
    'Claim that names the tenant; unset: as its issuer says, `tenant_id`.',
  ),
  platform_claim: unset(filled()).describe(
    'Claim that names the platform; unset: as its issuer says, `platform_id`.',
  ),
  user_claim: unset(filled()).describe('Claim that names the user; unset: as its issuer says, `sub`.'),
  tenant_header: headerName().default(TENANT_ID).describe('Header that tells upstreams the tenant.'),
  platform_header: headerName().default(PLATFORM_ID).describe('Header that tells upstreams the platform.'),
  user_header: headerName().default(USER_ID).describe('Header that tells upstreams the user.'),
  pass_unverified: setOf(choice(['platform', 'user']))
    .default(['platform'])
    .describe('What a client may say of itself where its credential has a tenant but does not name this.'),
  identity_audience: unset(filled().max(256, 'length must be at most 256')).describe(
    'For whom upstreams get the identity signed, in X-Gateway-Identity; unset: it is not signed.',
  ),
});

const Config = checked(Fields, ({ mode, identity_audience }) =>
  mode === 'trust-header' && identity_audience !== null
    ? [
        {
          path: ['identity_audience'],
          message: 'what a header says is not verified, and not signed: mode must be enforce',
          of: ['mode', 'identity_audience'],
        },
      ]
    : [],
);
type TenantBindingConfig = z.output<typeof Config>;

type Told = 'tenantId' | 'platformId' | 'userId';

/** One header that speaks for a credential, made ready. */
interface Bound {
  readonly told: Told;
  /** Where it is not the one that auth looked for. */
  readonly claim: string | null;
  readonly header: string;
  /** Spellings with `_` for `-`: CGI and its heirs take them for the header itself (RFC 3875 section 4.1.18). */
  readonly lookAlikes: readonly string[];
  readonly passesUnverified: boolean;
}

/** Every way to write a header's name with `-` or `_`, but its own. */
const lookAlikesOf = (header: string): readonly string[] => {
  const own = header.toLowerCase();
  let spellings = [''];
  for (const part of own.split(/[-_]/))
    spellings = spellings.flatMap((start) =>
      start === '' ? [part] : [`${start}-${part}`, `${start}_${part}`],
    );
  return spellings.filter((spelling) => spelling !== own);
};

const boundTo = (told: Told, header: string, claim: string | null, passesUnverified: boolean): Bound => ({
  told,
  claim,
  header,
  lookAlikes: lookAlikesOf(header),
  passesUnverified,
});

const prepare = (config: TenantBindingConfig, { consumerId }: PluginScope) => {
  if (config.identity_audience !== null && consumerId !== null)
    throw new Error('identity_audience: not for one consumer; who is calling is not known when it is signed');
  return ready(config);
};

const ready = (config: TenantBindingConfig) => ({
  isTrusting: config.mode === 'trust-header',
  isSigned: config.identity_audience !== null,
  tenant: boundTo('tenantId', config.tenant_header, config.tenant_claim, false),
  others: [
    boundTo(
      'platformId',
      config.platform_header,
      config.platform_claim,
      config.pass_unverified.includes('platform'),
    ),
    boundTo('userId', config.user_header, config.user_claim, config.pass_unverified.includes('user')),
  ],
});
type Prepared = ReturnType<typeof ready>;

const verifiedBy = (identity: Identity, { told, claim }: Bound): string | undefined => {
  if (claim === null) return identity[told];
  const value = identity.claims?.[claim];
  return value === undefined ? undefined : `${value}`;
};

/** True when every line with this name says the verified value, or nothing. */
const agrees = ({ toUpstream }: Exchange, name: string, verified: string): boolean => {
  if (!toUpstream.has(name)) return true;
  for (const value of toUpstream.getAll(name)) if (value !== verified && value !== '') return false;
  return true;
};

/** `name`: the spelling that was sent. */
const mismatch = ({ toUpstream }: Exchange, header: string, name: string, verified: string): GatewayError =>
  new GatewayError('GW_TENANT_MISMATCH', {
    message: `tenant_mismatch: ${header} is not what the credential says; leave the header out, or send the verified value`,
    facts: { header, sent: [...toUpstream.getAll(name)].join(', '), verified },
  });

/** Strip, verify, inject: one line with the verified value, whatever was sent. */
const bindOne = (exchange: Exchange, bound: Bound, verified: string | undefined): Step => {
  const { header, lookAlikes } = bound;
  const { toUpstream } = exchange;
  if (verified === undefined) {
    if (!bound.passesUnverified) forget(exchange, bound);
    return undefined;
  }
  if (!agrees(exchange, header, verified)) return mismatch(exchange, header, header, verified);
  for (const name of lookAlikes) {
    if (!toUpstream.has(name)) continue;
    if (!agrees(exchange, name, verified)) return mismatch(exchange, header, name, verified);
    toUpstream.delete(name);
  }
  toUpstream.set(header, verified);
  return undefined;
};

/** What nobody vouches for; also from the client's own lines, which templates read. */
const forget = ({ toUpstream, fromClient }: Exchange, { header, lookAlikes }: Bound): void => {
  for (const headers of [toUpstream, fromClient]) {
    headers.delete(header);
    for (const name of lookAlikes) headers.delete(name);
  }
};

const bind = (exchange: Exchange, identity: Identity, { tenant, others }: Prepared): Step => {
  const verified = verifiedBy(identity, tenant);
  if (verified === undefined || verified === '') return undefined;
  if (verified !== identity.tenantId) exchange.identity = { ...identity, tenantId: verified };
  const refusal = bindOne(exchange, tenant, verified);
  if (refusal !== undefined) return refusal;
  for (const other of others) {
    const wrong = bindOne(exchange, other, verifiedBy(identity, other));
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

/** The original behaviour: limits, quotas and upstreams take the header's word. */
const believe = (exchange: Exchange, identity: Identity, { tenant }: Prepared): undefined => {
  const claimed = exchange.toUpstream.get(tenant.header);
  if (claimed !== undefined && claimed !== '' && claimed !== identity.tenantId)
    exchange.identity = { ...identity, tenantId: claimed };
};

/**
 * Whom a request speaks for: `X-Tenant-Id`, `X-Platform-Id` and `X-User-Id` come from the verified credential. Runs
 * after every authentication plugin and before limits, on each route that has one, with these defaults where no
 * instance is configured. A credential without a tenant changes nothing.
 */
export const tenantBinding = definePlugin({
  name: 'tenant-binding',
  priority: 920,
  guards: true,
  reads: { namedBy: ['tenant_header', 'platform_header', 'user_header'] },
  summary: 'Ties X-Tenant-Id, X-Platform-Id and X-User-Id to the verified credential.',
  config: Config,
  prepare,
  access: (exchange, prepared) => {
    const { identity } = exchange;
    if (identity === undefined) return undefined;
    if (prepared.isSigned) setOrClear(exchange.toUpstream, GATEWAY_IDENTITY, identity.signed);
    return prepared.isTrusting ? believe(exchange, identity, prepared) : bind(exchange, identity, prepared);
  },
});

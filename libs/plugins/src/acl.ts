import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import { toByteString, toHeaderValue } from './byte-string.ts';
import type { Identity } from './exchange.ts';
import { checked, type Finding, flag, listOf, record, text, unset, WHOLE } from './fields.ts';
import { AUTHENTICATED_GROUPS, CONSUMER_GROUPS } from './headers.ts';
import { definePlugin } from './plugin.ts';

const Config = record({
  allow: unset(listOf(text())).describe('Groups that may call; all others may not.'),
  deny: unset(listOf(text())).describe('Groups that may not call.'),
  hide_groups_header: flag().default(false).describe('The upstream is not told the groups.'),
  always_use_authenticated_groups: flag()
    .default(false)
    .describe('Groups that the credential brought count before those of its consumer.'),
});
type AclConfig = z.output<typeof Config>;

const findings = function* ({ allow, deny }: AclConfig): Generator<Finding> {
  const message = "exactly one of these fields must be non-empty: 'config.allow', 'config.deny'";
  if (Boolean(allow?.length) === Boolean(deny?.length)) yield { path: WHOLE, message, of: ['allow', 'deny'] };
};

const prepare = (config: AclConfig) => ({
  ...config,
  isDenyList: Boolean(config.deny?.length),
  listed: new Set(config.deny?.length ? config.deny : config.allow),
});
type Prepared = ReturnType<typeof prepare>;

const forbidden = ({ isDenyList, listed }: Prepared, groups: readonly string[]) =>
  new GatewayError('GW_FORBIDDEN', {
    message: 'You cannot consume this service',
    facts: {
      [isDenyList ? 'denied_groups' : 'allowed_groups']: [...listed].join(', '),
      groups: groups.join(', '),
    },
  });
const unauthorized = () => new GatewayError('GW_UNAUTHENTICATED', { style: 'error' });

/** The groups that count for a caller and the header that names them; undefined where nothing gives any. */
const groupsOf = (identity: Identity, config: Prepared) => {
  const { consumer, credential, groups, authenticatedGroups } = identity;
  const countsOwn = consumer !== undefined && credential !== undefined;
  if (authenticatedGroups !== undefined && (!countsOwn || config.always_use_authenticated_groups))
    return { groups: authenticatedGroups, header: AUTHENTICATED_GROUPS };
  if (consumer === undefined) return undefined;
  if (groups?.length) return { groups, header: CONSUMER_GROUPS };
  return config.isDenyList ? { groups: [], header: CONSUMER_GROUPS } : undefined;
};

/** Kong's `acl`: who may call, by group. */
export const acl = definePlugin({
  name: 'acl',
  priority: 950,
  guards: true,
  reads: {},
  summary: 'Allows or refuses consumers by their groups.',
  config: checked(Config, findings),
  consumerScope: false,
  prepare,
  access: ({ identity, toUpstream }, config) => {
    const counting = identity && groupsOf(identity, config);
    // Who presented no credential may still be let in with one; who did is told that it does not help.
    if (counting === undefined)
      return identity?.credential === undefined ? unauthorized() : forbidden(config, []);
    const isListed = counting.groups.some((group) => config.listed.has(group));
    if (isListed === config.isDenyList) return forbidden(config, counting.groups);
    if (!config.hide_groups_header && counting.groups.length > 0)
      toUpstream.set(counting.header, toHeaderValue(toByteString(counting.groups.join(', '))));
    return undefined;
  },
});

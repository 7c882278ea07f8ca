import { BlockList, isIP } from 'node:net';
import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import { checked, decimal, type Finding, listOf, record, text, unset, WHOLE } from './fields.ts';
import { definePlugin } from './plugin.ts';

const bitsOf = (address: string): number => (isIP(address) === 6 ? 128 : 32);
const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** An address or a network, `address/bits`. */
const isNetwork = (value: string): boolean => {
  const [address = '', bits, ...rest] = value.split('/');
  if (isIP(address) === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsOf(address));
};

const network = () =>
  text().refine(isNetwork, { error: ({ input }) => `invalid ip or cidr range: '${input}'` });

const Config = record({
  allow: unset(listOf(network())).describe('Addresses and networks that may call; all others may not.'),
  deny: unset(listOf(network())).describe('Addresses and networks that may not call.'),
  status: unset(decimal()).describe('Status of a refusal; unset: 403.'),
  message: unset(text()).describe('Message of a refusal.'),
});
type IpRestrictionConfig = z.output<typeof Config>;

const findings = function* ({ allow, deny }: IpRestrictionConfig): Generator<Finding> {
  const message = "at least one of these fields must be non-empty: 'config.allow', 'config.deny'";
  if (!allow?.length && !deny?.length) yield { path: WHOLE, message, of: ['allow', 'deny'] };
};

const listOfNetworks = (networks: readonly string[] | null): BlockList | undefined => {
  if (!networks?.length) return undefined;
  const list = new BlockList();
  for (const [address = '', bits] of networks.map((value) => value.split('/')))
    list.addSubnet(address, bits === undefined ? bitsOf(address) : Number(bits), familyOf(address));
  return list;
};

/** Kong's `ip-restriction`: who may call, by address. */
export const ipRestriction = definePlugin({
  name: 'ip-restriction',
  priority: 990,
  guards: true,
  reads: {},
  summary: 'Allows or refuses clients by address.',
  streams: true,
  config: checked(Config, findings),
  prepare: (config: IpRestrictionConfig) => ({
    config,
    allow: listOfNetworks(config.allow),
    deny: listOfNetworks(config.deny),
  }),
  access: ({ clientIp }, { config, allow, deny }) => {
    const isIn = (list: BlockList | undefined): boolean => list?.check(clientIp, familyOf(clientIp)) ?? false;
    if (!isIn(deny) && (allow === undefined || isIn(allow))) return undefined;
    return new GatewayError('GW_FORBIDDEN', {
      status: config.status ?? 403,
      message: config.message ?? `IP address not allowed: ${clientIp}`,
    });
  },
});

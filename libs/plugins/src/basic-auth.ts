import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import { authenticate, challengeOf, isTooLong, type Judgement, unauthorized } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { filled, flag, headerText, record, unset } from './fields.ts';
import { definePlugin } from './plugin.ts';
import type { Ports } from './ports.ts';

const Config = record({
  hide_credentials: flag().default(false).describe('The upstream does not see user name and password.'),
  anonymous: unset(filled()).describe('Consumer (id or username) for requests without valid credentials.'),
  realm: headerText().default('service').describe('Realm of the WWW-Authenticate header.'),
});

const prepare = (config: z.output<typeof Config>, { pluginId }: { readonly pluginId: string }) => ({
  ...config,
  pluginId,
  challenge: challengeOf('Basic', config.realm),
});
type Prepared = ReturnType<typeof prepare>;

const HEADERS = ['Proxy-Authorization', 'Authorization'];
const BASIC = /[Bb]asic\s*(\S+)/;

/** `user:password` in base64, of each header that has some. */
const collectCredentials = ({ fromClient, toUpstream }: Exchange, config: Prepared): string[] => {
  const found: string[] = [];
  for (const name of HEADERS) {
    const token = BASIC.exec(fromClient.get(name) ?? '')?.[1];
    if (token === undefined) continue;
    if (config.hide_credentials) toUpstream.delete(name);
    if (!isTooLong(token)) found.push(token);
  }
  return found;
};

const identify = async (exchange: Exchange, config: Prepared, ports: Ports): Promise<Judgement> => {
  for (const token of collectCredentials(exchange, config)) {
    const verdict = await ports.verifyCredential(exchange, config.pluginId, { scheme: 'basic', token });
    if (verdict instanceof GatewayError) return verdict;
    if (verdict.outcome === 'allow') return verdict.identity;
  }
  return unauthorized(config.challenge);
};

/** Kong's `basic-auth`: who is calling, by user name and password. */
export const basicAuth = definePlugin({
  name: 'basic-auth',
  priority: 1100,
  reads: { always: ['authorization'] },
  summary: 'Requires user name and password of a consumer.',
  config: Config,
  consumerScope: false,
  authenticates: true,
  prepare,
  access: (exchange, config, ports) =>
    authenticate(exchange, config, ports, () => identify(exchange, config, ports)),
});

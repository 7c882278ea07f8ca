import { authenticate, judge } from './authenticate.ts';
import { type JwtConfig, jwtConfig } from './jwt-config.ts';
import { challengesOf, findToken, refuseToken } from './jwt-tokens.ts';
import { definePlugin } from './plugin.ts';

const prepare = (config: JwtConfig, { pluginId }: { readonly pluginId: string }) => ({
  ...config,
  pluginId,
  challenges: challengesOf(config.realm),
});

/** Kong's `jwt`: who is calling, by a signed token. The auth process judges it; here it is only found. */
export const jwt = definePlugin({
  name: 'jwt',
  priority: 1450,
  reads: { namedBy: ['header_names'] },
  summary: 'Requires a valid JSON Web Token and says who is calling.',
  config: jwtConfig,
  consumerScope: false,
  authenticates: true,
  prepare,
  access: (exchange, config, ports) =>
    authenticate(exchange, config, ports, () => {
      const token = findToken(exchange, config, config.challenges);
      if (typeof token !== 'string') return token;
      const credential = { scheme: 'jwt', token } as const;
      return judge(exchange, ports, config.pluginId, credential, ({ body }) =>
        refuseToken(config.challenges.badToken, body),
      );
    }),
});

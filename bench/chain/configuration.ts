import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Plugin {
  readonly name: string;
  readonly route?: string;
  readonly service?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}
interface Entity {
  readonly name: string;
  readonly service?: string;
}
interface Platform {
  readonly services: readonly Entity[];
  readonly routes: readonly Entity[];
  readonly plugins: readonly Plugin[];
  readonly issuers: readonly unknown[];
}

/** The route of the platform that stands for all: every kind of plugin is on it. */
const PLATFORM_ROUTE = 'agent-workflows';
/** So high that nothing is refused, and leased. */
const LIMITS = { minute: 10_000_000, hour: 500_000_000, day: 10_000_000_000 };

/** Where a chain's requests go; the other routes take the prefix off. */
export const PATHS = {
  plain: '/plain',
  observed: '/observed',
  jwt: '/jwt',
  full: '/v1/workflows',
} as const;
export type ChainName = keyof typeof PATHS;

const readPlatform = (root: string): Platform =>
  parse(readFileSync(join(root, 'config', 'kong.yml'), 'utf8')) as Platform;

const raised = (plugin: Plugin): Plugin =>
  plugin.name === 'rate-limiting' ? { ...plugin, config: { ...plugin.config, ...LIMITS } } : plugin;

/** What the platform's route gets, its own plugins and the global ones, as plugins of that route alone. */
const fullChain = ({ plugins }: Platform): Plugin[] =>
  plugins
    .filter(
      ({ route, service }) => route === PLATFORM_ROUTE || (route === undefined && service === undefined),
    )
    .map((plugin) => ({ ...raised(plugin), route: PLATFORM_ROUTE }));

/** The platform's settings of a plugin, for another route. */
const borrowed = ({ plugins }: Platform, name: string, route: ChainName): Plugin => {
  const found = plugins.find((plugin) => plugin.name === name);
  return { ...found, name, route };
};

/** All chains side by side, as text for `POST /config`. */
export const benchConfiguration = (root: string, upstreamPort: number): string => {
  const platform = readPlatform(root);
  const route = platform.routes.find(({ name }) => name === PLATFORM_ROUTE);
  const service = platform.services.find(({ name }) => name === route?.service);
  const prefixed = (['plain', 'observed', 'jwt'] as const).map((name) => ({ name, paths: [PATHS[name]] }));
  return JSON.stringify({
    _format_version: '3.0',
    services: [service, { name: 'bench', host: '127.0.0.1', port: upstreamPort, routes: prefixed }],
    routes: [route],
    plugins: [
      borrowed(platform, 'correlation-id', 'observed'),
      borrowed(platform, 'prometheus', 'observed'),
      borrowed(platform, 'correlation-id', 'jwt'),
      borrowed(platform, 'prometheus', 'jwt'),
      borrowed(platform, 'jwt', 'jwt'),
      ...fullChain(platform),
    ],
    issuers: platform.issuers,
  });
};

/** As curl's --connect-to: the platform's service is the bench's upstream. */
export const connectTo = (upstreamPort: number): string =>
  `agent-orchestrator:8083=127.0.0.1:${upstreamPort}`;

import { expect, test } from 'vitest';
import { useAdmin } from './admin-cases.ts';

/*
 * All paths of the Admin API (kong-compat 5.4), as `GET /endpoints` tells them. Who adds one writes it here and a row
 * into admin-endpoints.test.ts, admin-node.test.ts, admin-upstreams.test.ts or admin-vocabulary.test.ts.
 */

const { send } = useAdmin();

/** Path of a collection, and what one of its entities is called in a path. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  services: 'services',
  routes: 'routes',
  consumers: 'consumers',
  plugins: 'plugins',
  upstreams: 'upstreams',
  certificates: 'certificates',
  ca_certificates: 'ca_certificates',
  snis: 'snis',
  vaults: 'vaults',
  keys: 'keys',
  'key-sets': 'key_sets',
  'key-auths': 'keyauth_credentials',
  'basic-auths': 'basicauth_credentials',
  'hmac-auths': 'hmacauth_credentials',
  jwts: 'jwt_secrets',
  acls: 'acls',
  oauth2: 'oauth2_credentials',
};
const NESTED: Readonly<Record<string, readonly (readonly [path: string, entity: string])[]>> = {
  services: [
    ['routes', 'routes'],
    ['plugins', 'plugins'],
    ['filter-chains', 'filter_chains'],
  ],
  routes: [
    ['plugins', 'plugins'],
    ['filter-chains', 'filter_chains'],
  ],
  consumers: [
    ['plugins', 'plugins'],
    ['key-auth', 'keyauth_credentials'],
    ['basic-auth', 'basicauth_credentials'],
    ['hmac-auth', 'hmacauth_credentials'],
    ['jwt', 'jwt_secrets'],
    ['acls', 'acls'],
    ['oauth2', 'oauth2_credentials'],
  ],
  upstreams: [['targets', 'targets']],
  certificates: [
    ['services', 'services'],
    ['upstreams', 'upstreams'],
    ['snis', 'snis'],
  ],
  'key-sets': [['keys', 'keys']],
};
const REFERRED: readonly (readonly [collection: string, field: string])[] = [
  ['services', 'client_certificate'],
  ['routes', 'service'],
  ...['route', 'service', 'consumer'].map((field) => ['plugins', field] as const),
  ...['key-auths', 'basic-auths', 'hmac-auths', 'jwts', 'acls', 'oauth2'].map(
    (collection) => [collection, 'consumer'] as const,
  ),
];
const TARGET = '/upstreams/{upstreams}/targets/{targets}';
const KONGS = [
  ...Object.entries(COLLECTIONS).flatMap(([path, entity]) => [`/${path}`, `/${path}/{${entity}}`]),
  ...Object.entries(NESTED).flatMap(([parent, children]) =>
    children.flatMap(([path, entity]) => {
      const all = `/${parent}/{${COLLECTIONS[parent]}}/${path}`;
      return [all, `${all}/{${entity}}`];
    }),
  ),
  ...REFERRED.map(([collection, field]) => `/${collection}/{${COLLECTIONS[collection]}}/${field}`),
  ...['/', '/status', '/status/dns', '/metrics', '/endpoints', '/config', '/timers'],
  ...['/plugins/enabled', '/plugins/schema/{name}'],
  ...['/upstreams/{upstreams}/health', '/upstreams/{upstreams}/targets/all'],
  ...['healthy', 'unhealthy'].flatMap((health) => [`${TARGET}/${health}`, `${TARGET}/{address}/${health}`]),
  ...['/tags', '/tags/{tags}', '/cache', '/cache/{key}'],
  ...['/proxy-cache', '/proxy-cache/{cache_key}', '/proxy-cache/{plugin_id}/caches/{cache_key}'],
  ...['/schemas/{name}', '/schemas/{name}/validate', '/schemas/plugins/{name}', '/schemas/vaults/{name}'],
  ...['/schemas/plugins/validate', '/schemas/vaults/validate'],
  ...['/clustering/data-planes', '/clustering/status', '/filter-chains', '/filter-chains/{filter_chains}'],
  ...['/debug/node/log-level', '/debug/node/log-level/{log_level}', '/debug/cluster/log-level/{log_level}'],
];
/** Ours, beside Kong's. */
const OWN =
  /^\/(?:sluice|issuers|tenants|console|decisions|explain|fleet|openapi\.json|shadow|traces|traffic|v1)(?:\/|$)/;

test('GET /endpoints has Kong’s paths, and none that is neither Kong’s nor known to be ours', async () => {
  const { data } = (await send('GET', '/endpoints')).json<{ data: string[] }>();
  const answered = data.filter((path) => !OWN.test(path));
  expect(answered).toEqual([...new Set(KONGS)].sort());
});

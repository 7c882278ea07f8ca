/*
 * What Kong has and this gateway has not, with what to do instead. Plugins that are here need no entry: the
 * catalog knows them.
 */

const WRITE_A_PLUGIN = 'write it as a plugin: docs/guides/write-a-plugin.md';
const OIDC = 'write an entry in issuers and the plugin jwt: docs/guides/authenticate-with-oidc.md';
const LIMITS = 'write rate-limiting, or tenants with limits: docs/guides/limit-tenants.md';
const LOGS = 'use http-log, tcp-log, udp-log, file-log, prometheus or opentelemetry';
const PROVIDER = 'call the provider from a service behind the gateway; ai-prompt-guard is here';
const BEHIND = 'do it in a service behind the gateway, or ';

interface KongPlugin {
  readonly edition: 'oss' | 'enterprise';
  readonly remedy: string;
}

const oss = (remedy: string): KongPlugin => ({ edition: 'oss', remedy });
const enterprise = (remedy: string): KongPlugin => ({ edition: 'enterprise', remedy });

/** Plugins of Kong by name. */
const KONG_PLUGINS: Readonly<Record<string, KongPlugin>> = {
  acme: oss('let a certificate manager write certificates and snis'),
  'ai-prompt-decorator': oss(PROVIDER),
  'ai-prompt-template': oss(PROVIDER),
  'ai-proxy': oss(PROVIDER),
  'ai-request-transformer': oss(PROVIDER),
  'ai-response-transformer': oss(PROVIDER),
  'aws-lambda': oss('put the function behind its own URL and name that as a service'),
  'azure-functions': oss('name the function’s URL as a service'),
  datadog: oss(LOGS),
  'grpc-gateway': oss('put a transcoder in front'),
  'grpc-web': oss('put a translator in front'),
  'ldap-auth': oss(`put an OIDC provider before the directory; ${OIDC}`),
  loggly: oss(LOGS),
  oauth2: oss(OIDC),
  'post-function': oss(`Lua is not run here; ${WRITE_A_PLUGIN}`),
  'pre-function': oss(`Lua is not run here; ${WRITE_A_PLUGIN}`),
  redirect: oss(WRITE_A_PLUGIN),
  session: oss(`keep the session where people log in; ${OIDC}`),
  'standard-webhooks': oss(WRITE_A_PLUGIN),
  statsd: oss(LOGS),
  syslog: oss(LOGS),
  'ai-proxy-advanced': enterprise(PROVIDER),
  'ai-rate-limiting-advanced': enterprise(LIMITS),
  'ai-semantic-cache': enterprise(PROVIDER),
  'ai-semantic-prompt-guard': enterprise('use ai-prompt-guard'),
  'application-registration': enterprise(OIDC),
  canary: enterprise('write an upstream with two targets and weights'),
  degraphql: enterprise(`${BEHIND}${WRITE_A_PLUGIN}`),
  'exit-transformer': enterprise(WRITE_A_PLUGIN),
  'forward-proxy': enterprise('name the proxy as the service'),
  'graphql-proxy-cache-advanced': enterprise('use proxy-cache'),
  'graphql-rate-limiting-advanced': enterprise(LIMITS),
  'header-cert-auth': enterprise(OIDC),
  'injection-protection': enterprise(`use ai-prompt-guard, or ${WRITE_A_PLUGIN}`),
  jq: enterprise('use response-transformer or request-transformer'),
  'json-threat-protection': enterprise(`use request-size-limiting, or ${WRITE_A_PLUGIN}`),
  'jwe-decrypt': enterprise(OIDC),
  'jwt-signer': enterprise(OIDC),
  'kafka-log': enterprise(LOGS),
  'kafka-upstream': enterprise(`${BEHIND}${WRITE_A_PLUGIN}`),
  'key-auth-enc': enterprise('use key-auth'),
  'konnect-application-auth': enterprise(OIDC),
  'ldap-auth-advanced': enterprise(`put an OIDC provider before the directory; ${OIDC}`),
  mocking: enterprise('use request-termination'),
  'mtls-auth': enterprise(`check certificates in front, or ${OIDC}`),
  'oas-validation': enterprise(`${BEHIND}${WRITE_A_PLUGIN}`),
  'oauth2-introspection': enterprise(OIDC),
  opa: enterprise(WRITE_A_PLUGIN),
  'openid-connect': enterprise(OIDC),
  'proxy-cache-advanced': enterprise('use proxy-cache'),
  'rate-limiting-advanced': enterprise(LIMITS),
  'request-transformer-advanced': enterprise('use request-transformer'),
  'request-validator': enterprise(`${BEHIND}${WRITE_A_PLUGIN}`),
  'response-transformer-advanced': enterprise('use response-transformer'),
  'route-by-header': enterprise('write routes with headers'),
  'route-transformer-advanced': enterprise('use request-transformer with replace.uri'),
  saml: enterprise(OIDC),
  'service-protection': enterprise(LIMITS),
  'statsd-advanced': enterprise(LOGS),
  'tls-handshake-modifier': enterprise('check certificates in front'),
  'tls-metadata-headers': enterprise('check certificates in front'),
  'upstream-oauth': enterprise(WRITE_A_PLUGIN),
  'upstream-timeout': enterprise('write the timeouts of the service'),
  'vault-auth': enterprise('use key-auth'),
  'websocket-size-limit': enterprise(WRITE_A_PLUGIN),
  'websocket-validator': enterprise(WRITE_A_PLUGIN),
  'xml-threat-protection': enterprise(`use request-size-limiting, or ${WRITE_A_PLUGIN}`),
};

/** Why a plugin that the catalog lacks is not here, and what to do. */
export const adviceFor = (plugin: string): { readonly reason: string; readonly remedy: string } => {
  const known = Object.hasOwn(KONG_PLUGINS, plugin) ? KONG_PLUGINS[plugin] : undefined;
  if (known === undefined)
    return { reason: 'a plugin of your own, or unknown; Lua is not run here', remedy: WRITE_A_PLUGIN };
  const reason =
    known.edition === 'oss' ? 'a plugin of Kong that is not here' : 'a plugin of Kong Enterprise';
  return { reason, remedy: known.remedy };
};

/** Plugins that keep requests out. Without one of them its routes would be open, so they are closed instead. */
export const GUARDS: ReadonlySet<string> = new Set([
  ...['acl', 'basic-auth', 'bot-detection', 'hmac-auth', 'ip-restriction', 'jwt', 'key-auth'],
  ...['application-registration', 'header-cert-auth', 'jwe-decrypt', 'jwt-signer', 'key-auth-enc'],
  ...['konnect-application-auth', 'ldap-auth', 'ldap-auth-advanced', 'mtls-auth', 'oauth2'],
  ...['oauth2-introspection', 'opa', 'openid-connect', 'request-validator', 'saml', 'vault-auth'],
  ...['ai-semantic-prompt-guard', 'injection-protection', 'pre-function'],
]);

/** Fields of older Kongs that have another name since 3.0. */
export const RENAMED_CONFIG: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  acl: { whitelist: 'allow', blacklist: 'deny' },
  'ip-restriction': { whitelist: 'allow', blacklist: 'deny' },
  'bot-detection': { whitelist: 'allow', blacklist: 'deny' },
};

interface Lack {
  readonly reason: string;
  readonly remedy: string;
}

const ENTERPRISE = 'an entity of Kong Enterprise';
const groups: Lack = {
  reason: ENTERPRISE,
  remedy: 'use acl groups, and plugins or tenants for their limits: docs/guides/limit-tenants.md',
};
const administration: Lack = {
  reason: ENTERPRISE,
  remedy: 'keep the Admin API in the network of those who may use it',
};

/** Collections that are not here. */
export const MISSING_COLLECTIONS: Readonly<Record<string, Lack>> = {
  consumer_groups: groups,
  consumer_group_consumers: groups,
  consumer_group_plugins: groups,
  partials: { reason: ENTERPRISE, remedy: 'write the fields into each plugin' },
  rbac_roles: administration,
  rbac_role_endpoints: administration,
  rbac_role_entities: administration,
  rbac_users: administration,
  admins: administration,
  event_hooks: { reason: ENTERPRISE, remedy: 'subscribe to config.> on NATS: docs/asyncapi.json' },
  mtls_auth_credentials: { reason: ENTERPRISE, remedy: OIDC },
  keyauth_enc_credentials: { reason: ENTERPRISE, remedy: 'write keyauth_credentials' },
  degraphql_routes: { reason: ENTERPRISE, remedy: 'do it in a service behind the gateway' },
  graphql_ratelimiting_cost_decorations: { reason: ENTERPRISE, remedy: LIMITS },
  document_objects: { reason: ENTERPRISE, remedy: 'keep documents with the service' },
  files: { reason: ENTERPRISE, remedy: 'keep the portal elsewhere' },
  developers: { reason: ENTERPRISE, remedy: 'keep the portal elsewhere' },
  filter_chains: { reason: 'WebAssembly filters are not run here', remedy: WRITE_A_PLUGIN },
  oauth2_tokens: { reason: 'the plugin oauth2 is not here', remedy: OIDC },
  oauth2_authorization_codes: { reason: 'the plugin oauth2 is not here', remedy: OIDC },
};

/** What a Kong keeps for itself: nothing is lost with it. */
export const KONG_STATE: ReadonlySet<string> = new Set([
  ...['parameters', 'licenses', 'clustering_data_planes', 'clustering_rpc_requests', 'cluster_events'],
  ...['keyring_meta', 'keyring_keys', 'ratelimiting_metrics', 'response_ratelimiting_metrics', 'sessions'],
  ...['acme_storage', 'schema_meta', 'locks', 'tags', 'ttls', 'workspace_entity_counters', 'audit_objects'],
]);

/** Fields of an entity that are not here. Where one is null, nothing is lost. */
export const MISSING_FIELDS: Readonly<Record<string, Readonly<Record<string, Lack>>>> = {
  routes: {
    expression: {
      reason: 'the expressions router is not here',
      remedy: 'write hosts, paths, methods, headers',
    },
    priority: { reason: 'the expressions router is not here', remedy: 'write regex_priority' },
  },
  consumers: { groups },
  plugins: {
    consumer_group: groups,
    ordering: { reason: 'the order of plugins is Kong’s fixed one', remedy: 'leave it out' },
    partials: { reason: ENTERPRISE, remedy: 'write the fields into config' },
    condition: { reason: 'a field of Kong Enterprise', remedy: 'bind the plugin to routes' },
  },
};

export const STREAM_PROTOCOLS: readonly string[] = ['tcp', 'tls', 'tls_passthrough', 'udp'];
export const GRPC_PROTOCOLS: readonly string[] = ['grpc', 'grpcs'];

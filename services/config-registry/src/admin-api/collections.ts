import type { Kind } from '@sluice/contracts';
import { type ConfigState, isUuid, type Stored, schemaOf } from '@sluice/gateway-config';

/** Paths of the Admin API and what they list (kong-compat 5.4). */
export const COLLECTIONS: Readonly<Record<string, Kind>> = {
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
  issuers: 'issuers',
  tenants: 'tenants',
};

export interface Nested {
  readonly parent: keyof typeof COLLECTIONS;
  readonly path: string;
  readonly kind: Kind;
  /** Field of the child that names the parent. */
  readonly field: string;
}

const nested = (parent: string, path: string, kind: Kind, field: string): Nested => ({
  parent,
  path,
  kind,
  field,
});

/** `/{parent}/{key}/{path}`: the children of one entity. */
export const NESTED: readonly Nested[] = [
  nested('services', 'routes', 'routes', 'service'),
  nested('services', 'plugins', 'plugins', 'service'),
  nested('routes', 'plugins', 'plugins', 'route'),
  nested('consumers', 'plugins', 'plugins', 'consumer'),
  nested('consumers', 'key-auth', 'keyauth_credentials', 'consumer'),
  nested('consumers', 'basic-auth', 'basicauth_credentials', 'consumer'),
  nested('consumers', 'hmac-auth', 'hmacauth_credentials', 'consumer'),
  nested('consumers', 'jwt', 'jwt_secrets', 'consumer'),
  nested('consumers', 'acls', 'acls', 'consumer'),
  nested('consumers', 'oauth2', 'oauth2_credentials', 'consumer'),
  nested('upstreams', 'targets', 'targets', 'upstream'),
  nested('certificates', 'snis', 'snis', 'certificate'),
  nested('key-sets', 'keys', 'keys', 'set'),
];

const credentials = ['key-auths', 'basic-auths', 'hmac-auths', 'jwts', 'acls', 'oauth2'];

/** `/{child}/{key}/{path}`: the one entity a field refers to. */
export const REFERRED: readonly { readonly child: string; readonly path: string; readonly kind: Kind }[] = [
  { child: 'routes', path: 'service', kind: 'services' },
  { child: 'plugins', path: 'service', kind: 'services' },
  { child: 'plugins', path: 'route', kind: 'routes' },
  { child: 'plugins', path: 'consumer', kind: 'consumers' },
  ...credentials.map((child) => ({ child, path: 'consumer', kind: 'consumers' as const })),
];

/** Unique within their parent only, so the schema does not call them keys. */
const NESTED_KEYS: Partial<Record<Kind, string>> = {
  acls: 'group',
  targets: 'target',
  jwt_secrets: 'key',
  keyauth_credentials: 'key',
  basicauth_credentials: 'username',
  hmacauth_credentials: 'username',
};

/** The field by which an entity is named in a path, beside its id. */
export const keyFieldOf = (kind: Kind): string | undefined =>
  schemaOf(kind)?.endpointKey ?? NESTED_KEYS[kind];

const fieldOf = (entity: object, name: string): unknown => (entity as Record<string, unknown>)[name];

/** Whether an entity's field refers to that id. */
export const refersTo = (entity: object, field: string, id: string): boolean =>
  (fieldOf(entity, field) as { id?: string } | null | undefined)?.id === id;

/** The id an entity's field refers to. */
export const referenceOf = (entity: object, field: string): string | undefined =>
  (fieldOf(entity, field) as { id?: string } | null | undefined)?.id;

/** The entity a path names, by id or by key; `among` narrows it to the children of one parent. */
export const findEntity = (
  state: ConfigState,
  kind: Kind,
  key: string,
  among: (entity: Stored) => boolean = () => true,
): Stored | undefined => {
  if (isUuid(key)) {
    const entity = state.get(kind, key.toLowerCase());
    return entity !== undefined && among(entity) ? entity : undefined;
  }
  const field = keyFieldOf(kind);
  if (field === undefined) return undefined;
  for (const entity of state.list(kind)) if (fieldOf(entity, field) === key && among(entity)) return entity;
  return undefined;
};

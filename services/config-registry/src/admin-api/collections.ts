import type { Kind } from '@sluice/contracts';
import { isUuid, schemaOf } from '@sluice/gateway-config';
import type { StoredEntity, World } from '../entities/complete-entity.ts';

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
  nested('certificates', 'services', 'services', 'client_certificate'),
  nested('certificates', 'upstreams', 'upstreams', 'client_certificate'),
  nested('certificates', 'snis', 'snis', 'certificate'),
  nested('key-sets', 'keys', 'keys', 'set'),
];

/** `/services/:key` reads `/services/{services}`: a parameter is called after what it names. */
export const namedPath = (path: string): string => {
  const [, parent = '', , child = ''] = path.split('/');
  const kind = NESTED.find((nested) => nested.parent === parent && nested.path === child)?.kind ?? child;
  return path
    .replace(':key', `{${COLLECTIONS[parent] ?? 'key'}}`)
    .replace(':child', `{${kind}}`)
    .replace(/:(\w+)/g, '{$1}');
};

const credentials = ['key-auths', 'basic-auths', 'hmac-auths', 'jwts', 'acls', 'oauth2'];

/** `/{child}/{key}/{path}`: the one entity a field refers to. */
export const REFERRED: readonly { readonly child: string; readonly path: string; readonly kind: Kind }[] = [
  { child: 'routes', path: 'service', kind: 'services' },
  { child: 'plugins', path: 'service', kind: 'services' },
  { child: 'plugins', path: 'route', kind: 'routes' },
  { child: 'plugins', path: 'consumer', kind: 'consumers' },
  { child: 'services', path: 'client_certificate', kind: 'certificates' },
  ...credentials.map((child) => ({ child, path: 'consumer', kind: 'consumers' as const })),
];

/** Unique within their parent only, so the schema does not call them keys. */
const NESTED_KEYS: Partial<Record<Kind, string>> = { acls: 'group', targets: 'target' };

/** The field by which an entity is named in a path, beside its id. */
export const keyFieldOf = (kind: Kind, { isNested }: { isNested: boolean }): string | undefined =>
  schemaOf(kind)?.endpointKey ?? (isNested ? NESTED_KEYS[kind] : undefined);

/** The id an entity's field refers to. */
export const referenceOf = (entity: object, field: string): string | undefined =>
  ((entity as Record<string, unknown>)[field] as { id?: string } | null | undefined)?.id;

/** The configuration as a path is looked up in it. */
export type View = Pick<World, 'state' | 'index'>;
/** The children of one entity: `field` refers to it. */
export interface Among {
  readonly field: string;
  readonly id: string;
}

const DEFAULT_TARGET_PORT = 8000;

const ownerOf = ({ state, index }: View, kind: Kind, key: string, among?: Among): string | undefined => {
  const endpointKey = schemaOf(kind)?.endpointKey;
  if (endpointKey !== undefined) return index.ownerOf(kind, { [endpointKey]: key });
  if (kind === 'certificates') {
    const sni = index.ownerOf('snis', { name: key });
    return sni === undefined ? undefined : state.get('snis', sni)?.certificate.id;
  }
  const nestedKey = NESTED_KEYS[kind];
  if (nestedKey === undefined || among === undefined) return undefined;
  const find = (value: string) =>
    index.ownerOf(kind, { [nestedKey]: value, [among.field]: { id: among.id } });
  return find(key) ?? (kind === 'targets' ? find(`${key}:${DEFAULT_TARGET_PORT}`) : undefined);
};

/** The entity a path names, by id or by key; `among` is only needed where keys are unique among siblings. */
export const findEntity = (view: View, kind: Kind, key: string, among?: Among): StoredEntity | undefined => {
  const id = isUuid(key) ? key.toLowerCase() : ownerOf(view, kind, key, among);
  return id === undefined ? undefined : (view.state.get(kind, id) as StoredEntity | undefined);
};

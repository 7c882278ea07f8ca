import { z } from 'zod';

/** Collections of the declarative configuration, each with the entity name that derived events use. */
export const KINDS = {
  services: 'service',
  routes: 'route',
  consumers: 'consumer',
  plugins: 'plugin',
  upstreams: 'upstream',
  targets: 'upstream',
  certificates: 'policy',
  ca_certificates: 'policy',
  snis: 'policy',
  vaults: 'policy',
  issuers: 'policy',
  tenants: 'policy',
  acls: 'policy',
  key_sets: 'key',
  keys: 'key',
  keyauth_credentials: 'key',
  basicauth_credentials: 'key',
  hmacauth_credentials: 'key',
  jwt_secrets: 'key',
  oauth2_credentials: 'key',
} as const;

export type Kind = keyof typeof KINDS;
export const kindNames = Object.keys(KINDS) as [Kind, ...Kind[]];

/** One entity of the configuration: every field present, unset ones null, `id` always a string. */
export const entity = z.looseObject({ id: z.string().min(1).max(64) });

export const configOp = z.discriminatedUnion('op', [
  z.object({ op: z.literal('put'), kind: z.enum(kindNames), id: z.string().min(1), entity }),
  z.object({ op: z.literal('delete'), kind: z.enum(kindNames), id: z.string().min(1) }),
]);
/** One entity put or deleted; a commit is a list of them, applied together. */
export type ConfigOp = z.output<typeof configOp>;

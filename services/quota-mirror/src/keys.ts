import type { Redis } from '@sluice/service-kit';

/** The names of everything the mirror keeps in Redis. */
export interface Keys {
  readonly tenant: (tenantId: string) => string;
  readonly usage: (tenantId: string) => string;
  readonly seen: (tenantId: string) => string;
  readonly loaded: string;
  readonly rebuild: string;
}

/** `quota:tenant:<id>` as in the original; the rest beside it, so that a prefix of one's own moves all of it. */
export const keysOf = (prefix: string): Keys => {
  const root = prefix.replace(/tenant:$/, '');
  return {
    tenant: (id) => `${prefix}${id}`,
    usage: (id) => `${root}usage:{${id}}`,
    seen: (id) => `${root}seen:{${id}}`,
    loaded: `${root}meta:loaded`,
    rebuild: `${root}meta:rebuild`,
  };
};

/** Where the mirror writes. */
export interface Store {
  readonly redis: Redis;
  readonly keys: Keys;
}

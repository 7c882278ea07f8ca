import type { Vault } from './model.ts';

/** What the process may look up for a vault reference: its own environment, handed in by main. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** By the name that references call a vault: what its variables' names begin with. */
export type VaultPrefixes = ReadonlyMap<string, string>;

/** How references name the vaults of a configuration. */
export const vaultPrefixesOf = (vaults: Iterable<Vault>): VaultPrefixes =>
  new Map([...vaults].map(({ prefix, config }) => [prefix, config.prefix ?? '']));

const REFERENCE = '{vault://';
/** `{vault://<vault>/<secret>}`, or `{vault://<vault>/<secret>/<key>}` of a secret that is a JSON object. */
const PARTS = /^\{vault:\/\/([a-z][a-z0-9-]{0,200})\/([A-Za-z0-9_-]{1,200})(?:\/([^{}/]{1,200}))?\}$/;
/** The environment itself, which no entity has to declare. */
const ENVIRONMENT: VaultPrefixes = new Map([['env', '']]);

/** True for text that stands for a secret kept elsewhere. */
export const isReference = (text: string): boolean => text.startsWith(REFERENCE);

/**
 * The text itself, or what `{vault://env/some-name}` stands for: the variable `SOME_NAME`, as Kong's env vault
 * reads it, with the `config.prefix` of the vault before it where an entity declares one. Undefined when the variable
 * is not set, has no such key, or nobody declares the vault.
 */
export const resolveReference = (
  text: string,
  environment: Environment,
  vaults: VaultPrefixes = ENVIRONMENT,
): string | undefined => {
  if (!isReference(text)) return text;
  const [, vault = '', secret, key] = PARTS.exec(text) ?? [];
  const prefix = vaults.get(vault) ?? ENVIRONMENT.get(vault);
  if (secret === undefined || prefix === undefined) return undefined;
  const value = environment[`${prefix}${secret}`.toUpperCase().replaceAll('-', '_')] || undefined;
  return value === undefined || key === undefined ? value : valueIn(value, key);
};

/** What a JSON object says under a key, if it is text or a number. */
const valueIn = (json: string, key: string): string | undefined => {
  try {
    const value: unknown = Object.entries(JSON.parse(json) as object).find(([name]) => name === key)?.[1];
    return typeof value === 'string' || typeof value === 'number' ? `${value}` : undefined;
  } catch {
    return undefined; // no JSON, and so no key
  }
};

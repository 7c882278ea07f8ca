/** Names of Kong's environment that mean the same as one of ours; ours go before them. */
const ALIASES: Readonly<Record<string, string>> = {
  KONG_REDIS_HOST: 'REDIS_HOST',
  KONG_REDIS_PORT: 'REDIS_PORT',
  KONG_REDIS_PASSWORD: 'REDIS_PASSWORD',
  KONG_REDIS_DATABASE: 'REDIS_DB',
  KONG_LOG_LEVEL: 'LOG_LEVEL',
  KONG_DECLARATIVE_CONFIG: 'DECLARATIVE_CONFIG',
  KONG_TRUSTED_IPS: 'TRUSTED_IPS',
};

/** The environment with Kong's names read as ours. */
export const withKongNames = (env: Readonly<Record<string, string>>): Record<string, string> => {
  const values = { ...env };
  for (const [kong, ours] of Object.entries(ALIASES)) {
    const value = env[kong];
    if (value !== undefined) values[ours] ??= value;
  }
  return values;
};

/** One line about names of Kong's environment that nothing here reads, and what there is in their place. */
export const unusedKongNames = (env: NodeJS.ProcessEnv): string | undefined => {
  const names = Object.keys(env).filter((name) => /^KONG_[A-Z0-9_]+$/.test(name) && env[name] !== '');
  const unused = names.filter((name) => !Object.hasOwn(ALIASES, name)).sort();
  if (unused.length === 0) return undefined;
  return `not read: ${unused.join(', ')}. There is no database: the configuration is a log in NATS JetStream, and each process has settings of its own (docs/settings.md)`;
};

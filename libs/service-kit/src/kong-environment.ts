/** Names of Kong's environment that mean the same as one of ours; ours go before them. */
const ALIASES: Readonly<Record<string, string>> = {
  KONG_REDIS_HOST: 'REDIS_HOST',
  KONG_REDIS_PORT: 'REDIS_PORT',
  KONG_REDIS_PASSWORD: 'REDIS_PASSWORD',
  KONG_REDIS_DATABASE: 'REDIS_DB',
  KONG_LOG_LEVEL: 'LOG_LEVEL',
  KONG_DECLARATIVE_CONFIG: 'DECLARATIVE_CONFIG',
  KONG_TRUSTED_IPS: 'TRUSTED_IPS',
  KONG_REAL_IP_HEADER: 'REAL_IP_HEADER',
  KONG_REAL_IP_RECURSIVE: 'REAL_IP_RECURSIVE',
  KONG_PORT_MAPS: 'PORT_MAPS',
  KONG_HEADERS: 'HEADERS',
  KONG_HEADERS_UPSTREAM: 'HEADERS_UPSTREAM',
  KONG_ALLOW_DEBUG_HEADER: 'ALLOW_DEBUG_HEADER',
  KONG_ERROR_DEFAULT_TYPE: 'ERROR_DEFAULT_TYPE',
  KONG_DNS_RESOLVER: 'DNS_RESOLVER',
  KONG_TRACING_INSTRUMENTATIONS: 'TRACING_INSTRUMENTATIONS',
  KONG_TRACING_SAMPLING_RATE: 'TRACING_SAMPLING_RATE',
};
const KONG_NAME = /^KONG_[A-Z0-9_]+$/;
const OF_A_DATABASE = /^KONG_(DATABASE|PG_\w+|CASSANDRA_\w+)$/;

/** The environment with Kong's names read as ours. */
export const withKongNames = (env: Readonly<Record<string, string>>): Record<string, string> => {
  const values = { ...env };
  for (const [kong, ours] of Object.entries(ALIASES)) {
    const value = env[kong];
    if (value !== undefined) values[ours] ??= value;
  }
  return values;
};

/**
 * The same for processes that are started from here: what was read as ours is gone under Kong's name, so that a default
 * in the place of ours hides no value. Other names stay: the configuration may refer to them. An empty variable counts
 * as not set.
 */
export const withoutKongNames = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const given = Object.entries(env).filter((one): one is [string, string] => Boolean(one[1]));
  const read = { ...env, ...withKongNames(Object.fromEntries(given)) };
  return Object.fromEntries(Object.entries(read).filter(([name]) => !Object.hasOwn(ALIASES, name)));
};

/** One line about names of Kong's environment that nothing here reads, and what there is in their place. */
export const unusedKongNames = (env: NodeJS.ProcessEnv): string | undefined => {
  const names = Object.keys(env).filter((name) => KONG_NAME.test(name) && env[name] !== '');
  const unused = names.filter((name) => !Object.hasOwn(ALIASES, name)).sort();
  if (unused.length === 0) return undefined;
  const instead = [
    ...(unused.some((name) => OF_A_DATABASE.test(name))
      ? ['There is no database: the configuration is a log in NATS JetStream.']
      : []),
    ...(unused.some((name) => !OF_A_DATABASE.test(name))
      ? ['Each process has settings of its own: docs/settings.md.']
      : []),
  ];
  return `not read: ${unused.join(', ')}. ${instead.join(' ')}`;
};

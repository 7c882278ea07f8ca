const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i;

/**
 * Refuses an Admin API that anybody on the network could use.
 * @throws Error naming the two settings.
 */
export const assertGuarded = (host: string, hasTokens: boolean): void => {
  if (hasTokens || LOOPBACK.test(host)) return;
  throw new Error(
    `ADMIN_HOST is ${host} and ADMIN_TOKENS is not set: everybody who reaches this address could change the configuration. Set ADMIN_TOKENS=<name>:admin:<token> (a token: openssl rand -hex 32), or ADMIN_HOST=127.0.0.1`,
  );
};

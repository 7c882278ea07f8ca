import { type Environment, resolveReference } from '@sluice/gateway-config';
import type { Resolve } from '@sluice/routing';
import type { Logger } from '@sluice/service-kit';

/**
 * Vault references (`{vault://env/name}`) are read by who uses them, from its own environment: the secret is in no
 * commit and in no answer of the Admin API. One that cannot be resolved becomes empty, as in Kong, and is logged.
 */
export const referenceResolver =
  (environment: Environment, logger: Logger): Resolve =>
  (text) => {
    const found = resolveReference(text, environment);
    if (found === undefined)
      logger.error({ reference: text }, 'vault reference not resolved: set its environment variable');
    return found ?? '';
  };

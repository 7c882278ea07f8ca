import { type Environment, resolveReference, type VaultPrefixes } from '@sluice/gateway-config';
import type { Logger } from '@sluice/service-kit';

/** What a text of a configuration with those vaults stands for; empty where that cannot be found. */
export type ResolveIn = (text: string, vaults?: VaultPrefixes) => string;

/**
 * Vault references (`{vault://env/name}`) are read by who uses them, from its own environment: the secret is in no
 * commit and in no answer of the Admin API. One that cannot be resolved becomes empty, as in Kong, and is logged.
 */
export const referenceResolver =
  (environment: Environment, logger: Logger): ResolveIn =>
  (text, vaults) => {
    const found = resolveReference(text, environment, vaults);
    if (found === undefined)
      logger.error(
        { reference: text },
        'vault reference not resolved: declare its vault, set its environment variable',
      );
    return found ?? '';
  };

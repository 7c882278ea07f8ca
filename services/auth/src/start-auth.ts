import { followConfig, followRevocations } from '@sluice/config-log';
import type { Environment } from '@sluice/gateway-config';
import { type Bus, JetStream, type Logger, observeBus, startStatusServer } from '@sluice/service-kit';
import { answerChecks } from './answer-checks.ts';
import { CREDENTIAL_KINDS, Credentials } from './credentials.ts';
import { KeySets } from './key-sets.ts';
import { createAuthMetrics } from './metrics.ts';
import { identitySigner, keySetOptions, type Settings, statusAddress, verifierLimits } from './settings.ts';
import { describeIssuers, problemsOf } from './status.ts';
import { apiKeysIn } from './verify-api-key.ts';

const LOG_WITHIN_MS = 500; // a gateway that starts as a whole gets its configuration in this time
const REVOCATIONS_WITHIN_MS = 2000;

export interface AuthParts {
  readonly settings: Settings;
  readonly instance: string;
  readonly version: string;
  readonly bus: Bus;
  readonly logger: Logger;
  /** Where vault references are looked up. */
  readonly environment: Environment;
}

export interface RunningAuth {
  readonly statusPort: number;
  /** Answers from now on. @returns one phrase for a person, once it does. */
  serve(): Promise<string>;
  stop(): Promise<void>;
}

/** Puts the process together; it reads configuration, keys and revocations at once and answers after `serve`. */
export const startAuth = async (parts: AuthParts): Promise<RunningAuth> => {
  const { settings, instance, bus, logger } = parts;
  const signer = identitySigner(settings);
  const jetstream = new JetStream(bus);
  const credentials = new Credentials(parts.environment, logger);
  const metrics = createAuthMetrics(parts.version, () => keySets.all);
  const keySets = new KeySets({ ...keySetOptions(settings), logger, onRefresh: metrics.countRefresh });
  observeBus(metrics.registry, bus);
  const follower = followConfig({
    ...{ bus, jetstream, instance, logger, process: 'auth', kinds: CREDENTIAL_KINDS },
    onState: (state) => keySets.follow(credentials.load(state)),
    onCommit: ({ ops }, state) => keySets.follow(credentials.follow(ops, state)),
  });
  const revocations = followRevocations({ bus, jetstream, logger, confirmAs: { process: 'auth', instance } });
  const revocationsMaxAgeMs = settings.REVOCATIONS_MAX_AGE_SECONDS * 1000;
  const status = await startStatusServer({
    ...statusAddress(settings),
    metrics: metrics.registry,
    documents: { '/.well-known/jwks.json': { keys: signer?.keys.published ?? [] } },
    problems: () => problemsOf({ bus, follower, revocations, revocationsMaxAgeMs, credentials, keySets }),
  });
  return {
    statusPort: status.port,
    serve: async () => {
      // Configuration, keys and revocations first: what came before them would fail, while another instance could
      // have decided it.
      await bus.connection.then(() => follower.catchUp());
      await follower.waitFor(1, LOG_WITHIN_MS);
      await revocations.waitUntilRead(REVOCATIONS_WITHIN_MS);
      await keySets.settled();
      const { list } = revocations;
      const pepper = settings.API_KEY_PEPPER;
      const verifier = {
        apiKeys: pepper === undefined ? undefined : apiKeysIn(jetstream, { pepper, instance, logger }),
        credentials,
        keySets,
        revocations: list,
        ...verifierLimits(settings),
        clock: Date.now,
      };
      const standing = { standing: follower, revocations, revocationsMaxAgeMs };
      answerChecks({ bus, verifier, ...standing, signer, metrics, logger });
      await (await bus.connection).flush();
      return describeIssuers(credentials, keySets);
    },
    stop: async () => {
      follower.stop();
      await bus.drain(settings.DRAIN_TIMEOUT_MS);
      revocations.stop();
      keySets.stop();
      await status.close();
    },
  };
};

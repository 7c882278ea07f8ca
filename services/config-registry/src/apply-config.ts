import type { Position } from '@sluice/config-log';
import {
  type ConfigError,
  type ConfigInput,
  type ConfigState,
  diffStates,
  flattenedText,
  loadConfig,
  type PluginCatalog,
} from '@sluice/gateway-config';
import type { Logger } from '@sluice/service-kit';
import type { Committer } from './commit.ts';
import type { Acknowledgement, LiveEdges } from './live-edges.ts';

export interface ApplyParts {
  readonly catalog: PluginCatalog;
  /** Settings that decide whether a configuration deserves a warning (REDIS_URL). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly committer: Committer;
  readonly edges: LiveEdges;
  readonly ackTimeoutMs: number;
  readonly logger: Logger;
}

export interface ApplyRequest {
  readonly input: ConfigInput;
  readonly author: string;
  readonly message: string | undefined;
  readonly sourceAddress?: string | undefined;
  readonly expectedVersion?: number | undefined;
}

export type Applied =
  | { readonly outcome: 'refused'; readonly refusal: ConfigError }
  | { readonly outcome: 'stale'; readonly at: Position }
  | {
      readonly outcome: 'committed' | 'unchanged';
      readonly at: Position;
      /** What is in force, in the form of Kong's answer: JSON. */
      readonly flattened: string;
      readonly warnings: readonly string[];
      readonly acknowledged: Acknowledgement;
    };

/**
 * Replaces the whole configuration: validate → diff → append → wait until every live edge has it. A document that
 * says what is already there makes no new version. One that is not valid changes nothing.
 * @throws LogUnavailable when the log cannot be written; the old configuration stays.
 */
export const applyConfig = async (parts: ApplyParts, request: ApplyRequest): Promise<Applied> => {
  const { catalog, environment, committer } = parts;
  let valid: { state: ConfigState; warnings: readonly string[] } | undefined;
  const committed = await committer.commit<ConfigError>({
    actor: request.author,
    message: request.message,
    sourceAddress: request.sourceAddress,
    expectedVersion: request.expectedVersion,
    decide: (current) => {
      const now = Math.floor(Date.now() / 1000);
      const loaded = loadConfig(request.input, catalog, { now, previous: current, environment });
      if (!loaded.ok) return { outcome: 'refuse', refusal: loaded.error };
      valid = loaded;
      return { outcome: 'change', ops: diffStates(current, loaded.state), after: loaded.state };
    },
  });
  if (committed.outcome === 'refused' || committed.outcome === 'stale') return committed;
  if (valid === undefined) throw new Error('a commit without a validated state');
  return untilServed(parts, request.author, { ...committed, ...valid });
};

/** Waits until every live edge has it, and says what it is. */
export const untilServed = async (
  { edges, ackTimeoutMs, logger }: ApplyParts,
  author: string,
  made: {
    readonly outcome: 'committed' | 'unchanged';
    readonly at: Position;
    readonly state: ConfigState;
    readonly warnings: readonly string[];
  },
): Promise<Applied> => {
  const { outcome, at, state, warnings } = made;
  if (outcome === 'committed')
    for (const warning of warnings) logger.warn({ version: at.version, warning }, 'configuration warning');
  const acknowledged = await edges.acknowledged(at.epoch, at.version, ackTimeoutMs);
  const flattened = flattenedText(state); // not before: where processors are few, the edges need them
  const { applied, live } = acknowledged;
  logger.info({ outcome, version: at.version, author, applied, live }, 'configuration applied');
  return { outcome, at, flattened, warnings, acknowledged };
};

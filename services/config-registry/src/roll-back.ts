import {
  type ConfigError,
  type ConfigState,
  diffStates,
  loadConfig,
  toDeclarativeYaml,
} from '@sluice/gateway-config';
import { type Applied, type ApplyParts, type ApplyRequest, untilServed } from './apply-config.ts';

export interface RollbackRequest extends Omit<ApplyRequest, 'input'> {
  readonly version: number;
  /** What that version was; it must not change any more. */
  readonly state: ConfigState;
}

/**
 * Brings an earlier version back as a new one, on the line of every other change: what was valid then is judged anew,
 * for plugins come and go. Entities come back as they were stored, times and secrets too.
 * @throws LogUnavailable when the log cannot be written; the old configuration stays.
 */
export const rollBack = async (parts: ApplyParts, request: RollbackRequest): Promise<Applied> => {
  const { catalog, environment, committer } = parts;
  const { version, state } = request;
  const now = Math.floor(Date.now() / 1000);
  const loaded = loadConfig({ text: toDeclarativeYaml(state) }, catalog, {
    ...{ now, previous: state, environment },
  });
  if (!loaded.ok) return { outcome: 'refused', refusal: loaded.error };
  const committed = await committer.commit<ConfigError>({
    actor: request.author,
    message: request.message,
    sourceAddress: request.sourceAddress,
    expectedVersion: request.expectedVersion,
    rollbackOf: version,
    decide: (current) => ({
      outcome: 'change',
      ops: diffStates(current, state),
      summary: `rollback to r${version}`,
    }),
  });
  if (committed.outcome === 'refused' || committed.outcome === 'stale') return committed;
  return untilServed(parts, request.author, { ...committed, state, warnings: loaded.warnings });
};

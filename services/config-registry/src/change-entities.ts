import type { Position } from '@sluice/config-log';
import type { ConfigOp } from '@sluice/contracts';
import type { PluginCatalog } from '@sluice/gateway-config';
import type { Committer } from './commit.ts';
import type { World } from './entities/complete-entity.ts';
import type { EntityIndex } from './entities/entity-index.ts';
import type { EntityProblem } from './entities/entity-problem.ts';
import type { Acknowledgement, LiveEdges } from './live-edges.ts';

const MS = 1000;

export interface ChangeParts {
  readonly catalog: PluginCatalog;
  readonly index: EntityIndex;
  readonly committer: Committer;
  readonly edges: LiveEdges;
  readonly ackTimeoutMs: number;
}

export interface EntityChange<Result> {
  readonly author: string;
  readonly message: string | undefined;
  readonly sourceAddress?: string | undefined;
  readonly expectedVersion: number | undefined;
  /** Decides on the newest state; called again when somebody else wrote first. */
  readonly decide: (world: World) =>
    | {
        readonly ok: true;
        readonly ops: readonly ConfigOp[];
        readonly summary?: string;
        readonly result: Result;
      }
    | { readonly ok: false; readonly problem: EntityProblem };
}

export type Changed<Result> =
  | { readonly outcome: 'refused'; readonly refusal: EntityProblem }
  | { readonly outcome: 'stale'; readonly at: Position }
  | {
      readonly outcome: 'committed' | 'unchanged';
      readonly at: Position;
      readonly result: Result;
      readonly acknowledged: Acknowledgement;
    };

/**
 * Changes some entities: read the newest state → decide → append → wait until every live edge has it. Each change
 * is a version of its own; one that changes nothing makes none.
 * @throws LogUnavailable when the log cannot be written.
 */
export const changeEntities = async <Result>(
  { catalog, index, committer, edges, ackTimeoutMs }: ChangeParts,
  { author, message, sourceAddress, expectedVersion, decide }: EntityChange<Result>,
): Promise<Changed<Result>> => {
  let decided: { result: Result } | undefined;
  const committed = await committer.commit<EntityProblem>({
    actor: author,
    message,
    sourceAddress,
    expectedVersion,
    decide: (state) => {
      const decision = decide({ state, index, catalog, now: Date.now() / MS });
      if (!decision.ok) return { outcome: 'refuse', refusal: decision.problem };
      decided = decision;
      return { outcome: 'change', ops: decision.ops, summary: decision.summary };
    },
  });
  if (committed.outcome === 'refused' || committed.outcome === 'stale') return committed;
  if (decided === undefined) throw new Error('a commit without a decision');
  const { outcome, at } = committed;
  const acknowledged = await edges.acknowledged(at.epoch, at.version, ackTimeoutMs);
  return { outcome, at, result: decided.result, acknowledged };
};

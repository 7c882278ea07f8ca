import type { ConfigCommit } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import { CompiledConfig, type CompileParts } from './compile.ts';

/** What holds the configuration in use. */
export interface Holder {
  current: CompiledConfig | undefined;
}

export interface TakerParts extends CompileParts {
  readonly holder: Holder;
  /** Called in the same turn as each change: no request sees the new configuration before. */
  readonly onChange: () => void;
}

/**
 * Brings what requests use to where the log stands. A whole state is compiled beside the one in use, a few
 * milliseconds at a time, and swapped by one reference. Of a commit everything that can fail is done first, then
 * all its changes in one turn, so that no request sees half of it. What does not compile leaves the old
 * configuration serving; the next change then compiles the whole state.
 */
export class CommitTaker {
  readonly #parts: TakerParts;
  #isInStep = true;

  constructor(parts: TakerParts) {
    this.#parts = parts;
  }

  /** False after a change that did not compile: what requests use is older than the log. */
  get isInStep(): boolean {
    return this.#isInStep;
  }

  /**
   * Makes the instances of plugins anew whose code has changed, all of one plugin or none.
   * @returns what is wrong with those that go on with the code they had.
   */
  renewPlugins(): readonly string[] {
    const { holder, pluginNamed, onChange } = this.#parts;
    const problems: string[] = [];
    for (const instances of holder.current?.plugins.stale(pluginNamed).values() ?? [])
      try {
        const ops = instances.map(({ entity }) => ({
          op: 'put' as const,
          kind: 'plugins' as const,
          id: entity.id,
          entity: { ...entity },
        }));
        holder.current?.prepare(ops)();
        onChange();
      } catch (error) {
        problems.push((error as Error).message);
      }
    return problems;
  }

  /** Until it settles neither the state may change nor another change be given. @throws Error when it does not compile. */
  async takeState(state: ConfigState): Promise<void> {
    const { holder, onChange } = this.#parts;
    this.#isInStep = false;
    holder.current = await CompiledConfig.of(state, this.#parts, holder.current);
    onChange();
    this.#isInStep = true;
  }

  /**
   * Serves a state that is not the log's: the next change of the log is taken as a whole state. As `takeState`.
   * @throws Error when it does not compile.
   */
  async tryOut(state: ConfigState): Promise<void> {
    await this.takeState(state);
    this.#isInStep = false;
  }

  /** @throws Error when the commit does not compile; nothing has changed then. */
  takeCommit(commit: ConfigCommit, state: ConfigState): Promise<void> | undefined {
    const { holder, onChange } = this.#parts;
    // What references mean may be anything else with another vault.
    const hasVault = commit.ops.some(({ kind }) => kind === 'vaults');
    if (hasVault || !this.#isInStep || holder.current === undefined) return this.takeState(state);
    this.#isInStep = false;
    const change = holder.current.prepare(commit.ops);
    change();
    onChange();
    this.#isInStep = true;
    return undefined;
  }
}

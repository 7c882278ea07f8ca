import type { ConfigCommit } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import type { Plugin } from '@sluice/plugins';
import { CompiledConfig } from './compile.ts';

/** What holds the configuration in use. */
export interface Holder {
  current: CompiledConfig | undefined;
}

/**
 * Brings what requests use to where the log stands. A whole state is compiled beside the one in use and swapped
 * by one reference. Of a commit everything that can fail is done first, then all its changes in one turn, so that
 * no request sees half of it. What does not compile leaves the old configuration serving; the next change then
 * compiles the whole state.
 */
export class CommitTaker {
  readonly #holder: Holder;
  readonly #pluginNamed: (name: string) => Plugin | undefined;
  #isInStep = true;

  constructor(holder: Holder, pluginNamed: (name: string) => Plugin | undefined) {
    this.#holder = holder;
    this.#pluginNamed = pluginNamed;
  }

  /** @throws Error when the state does not compile. */
  takeState(state: ConfigState): void {
    this.#isInStep = false;
    this.#holder.current = CompiledConfig.of(state, this.#pluginNamed);
    this.#isInStep = true;
  }

  /** @throws Error when the commit does not compile; nothing has changed then. */
  takeCommit(commit: ConfigCommit, state: ConfigState): void {
    if (!this.#isInStep || this.#holder.current === undefined) {
      this.takeState(state);
      return;
    }
    this.#isInStep = false;
    const change = this.#holder.current.prepare(commit.ops);
    change();
    this.#isInStep = true;
  }
}

import type { ConfigState } from '@sluice/gateway-config';

const FIELDS = ['tenant_claim', 'platform_claim', 'user_claim'];

/** The claims that tenant-binding plugins read; a commit costs only what it touches. */
export class BindingClaims {
  readonly #byPlugin = new Map<string, readonly string[]>();
  #names: readonly string[] = [];

  get names(): readonly string[] {
    return this.#names;
  }

  load(state: ConfigState): void {
    this.#byPlugin.clear();
    this.#names = [];
    for (const { id } of state.list('plugins')) this.put(id, state);
  }

  /** Follows a change of one plugin. */
  put(id: string, state: ConfigState): void {
    const plugin = state.get('plugins', id);
    const before = this.#byPlugin.delete(id);
    if (plugin?.name === 'tenant-binding') this.#byPlugin.set(id, claimsOf(plugin.config));
    else if (!before) return;
    this.#names = [...new Set([...this.#byPlugin.values()].flat())];
  }
}

const claimsOf = (config: Readonly<Record<string, unknown>>): readonly string[] =>
  FIELDS.map((field) => config[field]).filter((name) => typeof name === 'string');

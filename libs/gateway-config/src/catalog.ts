import type { z } from 'zod';

/** What the configuration needs to know about one plugin. */
export interface PluginRules {
  /** Checks and completes `config`. */
  readonly config: z.ZodType;
  /** False: may not be bound to a consumer. */
  readonly consumerScope: boolean;
  /** True: its instances may be for stream protocols, such as tcp, too. */
  readonly streams?: boolean;
  /** Sentences about a valid configuration that will not do all that it says. */
  readonly warnings?: (config: unknown, context: PluginWarningContext) => readonly string[];
}

export interface PluginWarningContext {
  /** The configuration as it was written, before the schema dropped or completed anything. */
  readonly submitted: unknown;
  /** Settings of the process, such as REDIS_URL. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The plugins that exist. */
export interface PluginCatalog {
  readonly get: (name: string) => PluginRules | undefined;
  readonly names: () => readonly string[];
}

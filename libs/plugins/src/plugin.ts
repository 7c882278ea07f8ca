import type { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import type { Ports } from './ports.ts';

/** Where a plugin instance stands; `routeId` and the others are null where the instance is not bound to one. */
export interface PluginScope {
  readonly pluginId: string;
  readonly routeId: string | null;
  readonly serviceId: string | null;
  readonly consumerId: string | null;
}

/** What surrounds a configuration when it is applied. */
export interface WarningContext {
  /** Settings of the process, such as REDIS_URL. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * A client may not have one of these headers removed (`Connection:`), nor send it in a spelling that an upstream could
 * take for it.
 */
export interface HeadersRead {
  /** In lower case. */
  readonly always?: readonly string[];
  /** Fields of the configuration whose texts name more of them. */
  readonly namedBy?: readonly string[];
}

/** Largest answer that is held back for plugins that read its body, in bytes. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** What a chain step may answer: nothing (go on), or the refusal that ends the request. */
export type Step = GatewayError | undefined;

/**
 * One policy of the gateway: its schema and its handlers in one file. `prepare` runs once per instance when a
 * configuration is compiled and does everything costly (regular expressions, templates); the handlers then get
 * what it returned. A handler that has nothing to wait for returns no promise. State lives in `ports`.
 */
export interface Plugin<Config extends z.ZodType = z.ZodType, Prepared = unknown> {
  /** Kong's name. */
  readonly name: string;
  /** Kong's number: higher runs earlier. */
  readonly priority: number;
  readonly summary: string;
  readonly config: Config;
  /** False: may not be bound to a consumer (`value must be null`). */
  readonly consumerScope: boolean;
  /** True: sets `exchange.identity`, so that tenant-binding has its turn on the routes of its instances. */
  readonly authenticates?: boolean;
  /** True: refuses callers for who they are, or ties them to it. A plugin that authenticates does so anyway. */
  readonly guards?: boolean;
  /** The headers of a request that it goes by; absent: whatever its configuration mentions. */
  readonly reads?: HeadersRead;
  /** True: instances may be for stream protocols, such as tcp, too. */
  readonly streams?: boolean;
  /** What a checked configuration says that works, but hardly as its author meant. */
  readonly warnings?: (config: z.output<Config>, context: WarningContext) => string[];
  /** Throws an Error with a clear message when the configuration cannot work. */
  readonly prepare: (config: z.output<Config>, scope: PluginScope) => Prepared;
  /** Before the upstream is chosen. The first refusal ends the request. */
  readonly access?: (exchange: Exchange, prepared: Prepared, ports: Ports) => Step | Promise<Step>;
  /** When the answer's head is about to be sent, also for the gateway's own answers. Changes `toClient` only. */
  readonly response?: (exchange: Exchange, prepared: Prepared, ports: Ports) => void;
  /**
   * After the response handlers, where an upstream answered: a refusal takes its answer's place, with the head as
   * it stands but without a body; one that brings a body of its own takes the place of both.
   */
  readonly inspect?: (exchange: Exchange, prepared: Prepared, ports: Ports) => Step;
  /**
   * After the response handlers: whether this instance has to see the body of the answer. Only when some instance
   * has to is the answer held back until it is complete; all others stream.
   */
  readonly wantsBody?: (exchange: Exchange, prepared: Prepared) => boolean;
  /**
   * The whole body, where `wantsBody` said so, as the instances before left it; returns what replaces it, or the
   * refusal that takes the place of an upstream's answer. It is not called for an answer larger than
   * `MAX_ANSWER_BYTES`, which goes on unchanged unless `oversize` refuses it.
   */
  readonly body?: (
    exchange: Exchange,
    prepared: Prepared,
    body: Buffer,
    ports: Ports,
  ) => Buffer | GatewayError | undefined;
  /** Where `wantsBody` said so and the answer is larger than `MAX_ANSWER_BYTES`: whether it is refused. */
  readonly oversize?: (exchange: Exchange, prepared: Prepared, ports: Ports) => Step;
  /** After the response. Never awaited. */
  readonly settle?: (exchange: Exchange, prepared: Prepared, ports: Ports) => void;
}

type Definition<Config extends z.ZodType, Prepared> = Omit<
  Plugin<Config, Prepared>,
  'prepare' | 'consumerScope'
> & {
  readonly consumerScope?: boolean;
  readonly prepare?: (config: z.output<Config>, scope: PluginScope) => Prepared;
};

/** Declares a plugin. Without `prepare` the handlers get the checked configuration itself. */
export const definePlugin = <Config extends z.ZodType, Prepared = z.output<Config>>(
  definition: Definition<Config, Prepared>,
): Plugin => {
  const prepare = definition.prepare ?? ((config: z.output<Config>) => config as unknown as Prepared);
  return { consumerScope: true, ...definition, prepare } as unknown as Plugin;
};

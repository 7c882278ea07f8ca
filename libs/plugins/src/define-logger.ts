import type { z } from 'zod';
import { fieldChanges, withFields } from './custom-fields.ts';
import type { LogSink } from './log-sink.ts';
import { definePlugin, type Plugin } from './plugin.ts';

interface LoggerDefinition<Config extends z.ZodType> {
  readonly name: string;
  readonly priority: number;
  readonly summary: string;
  readonly config: Config;
  readonly warnings?: (config: z.output<Config>) => string[];
  readonly sinkOf: (config: z.output<Config>) => LogSink;
}

/** A plugin that hands the record of every finished request to a sink; what it sends is Kong's log record. */
export const defineLogger = <
  Config extends z.ZodType<{ custom_fields_by_lua: Readonly<Record<string, string>> | null }>,
>({
  sinkOf,
  ...definition
}: LoggerDefinition<Config>): Plugin =>
  definePlugin({
    ...definition,
    streams: true,
    reads: {},
    prepare: (config: z.output<Config>, { pluginId }) => ({
      sinkKey: pluginId,
      sink: sinkOf(config),
      changes: fieldChanges(config.custom_fields_by_lua),
    }),
    settle: (exchange, { sinkKey, sink, changes }, ports) =>
      ports.writeLog(sinkKey, sink, withFields(ports.logRecord(exchange), changes)),
  });

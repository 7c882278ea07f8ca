import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange } from '../src/exchange.ts';
import type { Plugin } from '../src/plugin.ts';
import type { Ports } from '../src/ports.ts';
import { GLOBAL, testPorts } from './exchange.ts';

/** Checks and prepares a configuration as the edge does. */
export const instance = (plugin: Plugin, config: unknown = {}, scope = GLOBAL) => {
  const prepared = plugin.prepare(plugin.config.parse(config), scope);
  return {
    access: (exchange: Exchange, ports: Ports = testPorts()) => plugin.access?.(exchange, prepared, ports),
    response: (exchange: Exchange, ports: Ports = testPorts()) =>
      plugin.response?.(exchange, prepared, ports),
    /** The body phase: asks first, as the edge does. */
    body: (exchange: Exchange, body: Buffer | string, ports: Ports = testPorts()): string | undefined =>
      plugin.wantsBody?.(exchange, prepared)
        ? plugin.body?.(exchange, prepared, Buffer.from(body), ports)?.toString()
        : undefined,
    inspect: (exchange: Exchange, ports: Ports = testPorts()) => plugin.inspect?.(exchange, prepared, ports),
    wantsBody: (exchange: Exchange) => plugin.wantsBody?.(exchange, prepared) ?? false,
    settle: (exchange: Exchange, ports: Ports = testPorts()) => plugin.settle?.(exchange, prepared, ports),
  };
};

/** What a client would be told. */
export const refusalOf = (step: unknown) => {
  if (!(step instanceof GatewayError)) return step;
  const { code, status, body = { message: step.message }, headers } = step;
  return { code, status, body, headers };
};

/** Messages of a refused configuration by their place. */
export const problemsOf = (plugin: Plugin, config: unknown): Record<string, string> => {
  const { error } = plugin.config.safeParse(config) as z.ZodSafeParseResult<unknown>;
  return Object.fromEntries((error?.issues ?? []).map(({ path, message }) => [path.join('.'), message]));
};

import { GatewayError } from '@sluice/contracts';
import type { Ports, Step } from '@sluice/plugins';
import type { ProxyExchange } from './exchange.ts';
import { instanceFor, type PluginInstance } from './snapshot/chains.ts';

const failed = (ports: Ports, plugin: string, phase: string, error: unknown): void => {
  ports.log('warn', 'plugin failed', {
    plugin,
    phase,
    problem: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  });
};

/** Runs the access handlers, highest priority first. The first refusal ends the request, as in Kong. */
export const runAccess = async (exchange: ProxyExchange, ports: Ports): Promise<Step> => {
  for (const step of exchange.chain?.steps ?? []) {
    const instance = instanceFor(step, exchange.identity?.consumer?.id);
    if (instance === undefined || instance.plugin.access === undefined) continue;
    try {
      const answer = instance.plugin.access(exchange, instance.prepared, ports);
      const refusal = answer instanceof Promise ? await answer : answer;
      if (refusal !== undefined) return refusal;
    } catch (error) {
      failed(ports, instance.plugin.name, 'access', error);
      return new GatewayError('GW_PLUGIN_FAILED', { cause: error });
    }
  }
  return undefined;
};

/** Runs the response handlers over the answer's head. One that throws is counted and skipped. */
export const runResponse = (exchange: ProxyExchange, ports: Ports): void =>
  runPhase(exchange, ports, 'response');

/** Shows an upstream's answer to the instances that may refuse it, after the response handlers. */
export const runInspect = (exchange: ProxyExchange, ports: Ports): Step => {
  for (const step of exchange.chain?.steps ?? []) {
    const instance = instanceFor(step, exchange.identity?.consumer?.id);
    if (instance?.plugin.inspect === undefined) continue;
    try {
      const refusal = instance.plugin.inspect(exchange, instance.prepared, ports);
      if (refusal !== undefined) return refusal;
    } catch (error) {
      failed(ports, instance.plugin.name, 'inspect', error);
    }
  }
  return undefined;
};

/** Runs the settle handlers, after the answer. */
export const runSettle = (exchange: ProxyExchange, ports: Ports): void => runPhase(exchange, ports, 'settle');

/** The instances that have to see the body of the answer, in order; undefined when none has. */
export const bodyReaders = (exchange: ProxyExchange, ports: Ports): PluginInstance[] | undefined => {
  let readers: PluginInstance[] | undefined;
  for (const step of exchange.chain?.steps ?? []) {
    const instance = instanceFor(step, exchange.identity?.consumer?.id);
    if (instance?.plugin.wantsBody === undefined) continue;
    try {
      if (!instance.plugin.wantsBody(exchange, instance.prepared)) continue;
      readers ??= [];
      readers.push(instance);
    } catch (error) {
      failed(ports, instance.plugin.name, 'body', error);
    }
  }
  return readers;
};

/** Passes the body through its readers. One that throws is counted and skipped. */
export const runBody = (
  exchange: ProxyExchange,
  readers: readonly PluginInstance[],
  body: Buffer,
  ports: Ports,
): Buffer => {
  let sent = body;
  for (const { plugin, prepared } of readers)
    try {
      sent = plugin.body?.(exchange, prepared, sent, ports) ?? sent;
    } catch (error) {
      failed(ports, plugin.name, 'body', error);
    }
  return sent;
};

const runPhase = (exchange: ProxyExchange, ports: Ports, phase: 'response' | 'settle'): void => {
  for (const step of exchange.chain?.steps ?? []) {
    const instance = instanceFor(step, exchange.identity?.consumer?.id);
    const handler = instance?.plugin[phase];
    if (instance === undefined || handler === undefined) continue;
    try {
      handler(exchange, instance.prepared, ports);
    } catch (error) {
      failed(ports, instance.plugin.name, phase, error);
    }
  }
};

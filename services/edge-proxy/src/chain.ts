import { GatewayError } from '@sluice/contracts';
import type { Ports, Step } from '@sluice/plugins';
import { type ChainStep, instanceFor, type PluginInstance } from '@sluice/routing';
import type { ProxyExchange } from './exchange.ts';
import { PluginTimeout } from './snapshot/own-plugins.ts';

type Phase = 'access' | 'response' | 'inspect' | 'body' | 'settle';

/** A handler that threw costs at most its own request: it is logged and counted, the edge goes on. */
const failed = (
  exchange: ProxyExchange,
  ports: Ports,
  where: [plugin: string, phase: Phase],
  error: unknown,
) => {
  const [plugin, phase] = where;
  ports.count('plugin_errors', {
    plugin,
    phase,
    reason: error instanceof PluginTimeout ? 'timeout' : 'thrown',
  });
  ports.log('warn', 'plugin failed', {
    plugin,
    phase,
    request_id: exchange.id,
    route: exchange.route?.name ?? exchange.route?.id,
    problem: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  });
};

/** In `mode: shadow` an instance decides as ever; what it would have answered is noted, and the request goes on. */
const isShadowed = (
  exchange: ProxyExchange,
  ports: Ports,
  { entity, plugin }: PluginInstance,
  { code, message }: GatewayError,
): boolean => {
  if (entity.mode !== 'shadow') return false;
  exchange.shadowed ??= new Map();
  exchange.shadowed.set(entity.id, code);
  ports.count('shadow_refusals');
  ports.log('info', 'would have been refused', {
    ...{ plugin: plugin.name, plugin_id: entity.id, code, problem: message, request_id: exchange.id },
    route: exchange.route?.name ?? exchange.route?.id,
  });
  return true;
};

/** The instance of a step for who is known when its turn comes; a consumer found later changes nothing. */
const takeTurn = (exchange: ProxyExchange, step: ChainStep): PluginInstance | undefined => {
  const instance = instanceFor(step, exchange.identity?.consumer?.id);
  if (step.byConsumer !== undefined) {
    exchange.turns ??= new Map();
    exchange.turns.set(step, instance);
  }
  return instance;
};

/** The instance that the later phases run: the one whose turn it was, or would have been before a refusal. */
const turnOf = (exchange: ProxyExchange, step: ChainStep): PluginInstance | undefined => {
  if (step.byConsumer === undefined) return step.anyone;
  const { turns, identity } = exchange;
  return turns?.has(step) === true ? turns.get(step) : instanceFor(step, identity?.consumer?.id);
};

/**
 * Runs the access handlers, highest priority first. The first refusal ends the request, as in Kong. A promise only
 * where a handler has to wait: in the steady state everything is known at once.
 */
export const runAccess = (exchange: ProxyExchange, ports: Ports): Step | Promise<Step> =>
  accessFrom(0, exchange, ports);

const accessFrom = (first: number, exchange: ProxyExchange, ports: Ports): Step | Promise<Step> => {
  const steps = exchange.chain?.steps ?? [];
  for (let at = first; at < steps.length; at++) {
    const instance = takeTurn(exchange, steps[at] as ChainStep);
    if (instance === undefined || instance.plugin.access === undefined) continue;
    exchange.running = instance;
    const { name } = instance.plugin;
    const from = exchange.steps === undefined ? 0 : performance.now();
    try {
      const answer = instance.plugin.access(exchange, instance.prepared, ports);
      if (answer instanceof Promise) return goOnAfter(answer, { at, from, instance }, exchange, ports);
      exchange.steps?.note(name, 'access', from);
      if (answer !== undefined && !isShadowed(exchange, ports, instance, answer)) return answer;
    } catch (error) {
      return accessFailed(error, { from, name }, exchange, ports);
    }
  }
  exchange.running = undefined;
  return undefined;
};

const goOnAfter = async (
  answer: Promise<Step>,
  { at, from, instance }: { at: number; from: number; instance: PluginInstance },
  exchange: ProxyExchange,
  ports: Ports,
): Promise<Step> => {
  let refusal: Step;
  try {
    refusal = await answer;
  } catch (error) {
    return accessFailed(error, { from, name: instance.plugin.name }, exchange, ports);
  }
  exchange.steps?.note(instance.plugin.name, 'access', from);
  if (refusal !== undefined && !isShadowed(exchange, ports, instance, refusal)) return refusal;
  return accessFrom(at + 1, exchange, ports);
};

const accessFailed = (
  error: unknown,
  { from, name }: { from: number; name: string },
  exchange: ProxyExchange,
  ports: Ports,
): GatewayError => {
  exchange.steps?.note(name, 'access', from);
  failed(exchange, ports, [name, 'access'], error);
  return new GatewayError('GW_PLUGIN_FAILED', { cause: error });
};

/** Runs the response handlers over the answer's head. One that throws is counted and skipped. */
export const runResponse = (exchange: ProxyExchange, ports: Ports): void =>
  runPhase(exchange, ports, 'response');

/** Shows an upstream's answer to the instances that may refuse it, after the response handlers. */
export const runInspect = (exchange: ProxyExchange, ports: Ports): Step => {
  for (const step of exchange.chain?.steps ?? []) {
    const instance = turnOf(exchange, step);
    if (instance?.plugin.inspect === undefined) continue;
    try {
      const refusal = instance.plugin.inspect(exchange, instance.prepared, ports);
      if (refusal === undefined || isShadowed(exchange, ports, instance, refusal)) continue;
      exchange.running = instance;
      return refusal;
    } catch (error) {
      failed(exchange, ports, [instance.plugin.name, 'inspect'], error);
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
    const instance = turnOf(exchange, step);
    if (instance?.plugin.wantsBody === undefined) continue;
    try {
      if (!instance.plugin.wantsBody(exchange, instance.prepared)) continue;
      readers ??= [];
      readers.push(instance);
    } catch (error) {
      failed(exchange, ports, [instance.plugin.name, 'body'], error);
    }
  }
  return readers;
};

/** Passes the body through its readers; the first refusal ends it. One that throws is counted and skipped. */
export const runBody = (
  exchange: ProxyExchange,
  readers: readonly PluginInstance[],
  body: Buffer,
  ports: Ports,
): Buffer | GatewayError => {
  let sent = body;
  for (const instance of readers) {
    const { plugin, prepared } = instance;
    try {
      const made = plugin.body?.(exchange, prepared, sent, ports) ?? sent;
      if (!(made instanceof GatewayError)) sent = made;
      else if (!isShadowed(exchange, ports, instance, made)) return made;
    } catch (error) {
      failed(exchange, ports, [plugin.name, 'body'], error);
    }
  }
  return sent;
};

/** Asks the readers of a body that is too large to be shown to them whether the answer may go on. */
export const runOversize = (
  exchange: ProxyExchange,
  readers: readonly PluginInstance[],
  ports: Ports,
): Step => {
  for (const instance of readers) {
    const { plugin, prepared } = instance;
    try {
      const refusal = plugin.oversize?.(exchange, prepared, ports);
      if (refusal !== undefined && !isShadowed(exchange, ports, instance, refusal)) return refusal;
    } catch (error) {
      failed(exchange, ports, [plugin.name, 'body'], error);
    }
  }
  return undefined;
};

const runPhase = (exchange: ProxyExchange, ports: Ports, phase: 'response' | 'settle'): void => {
  for (const step of exchange.chain?.steps ?? []) {
    const instance = turnOf(exchange, step);
    const handler = instance?.plugin[phase];
    if (instance === undefined || handler === undefined) continue;
    const { name } = instance.plugin;
    const from = exchange.steps === undefined ? 0 : performance.now();
    try {
      const answer: unknown = handler(exchange, instance.prepared, ports);
      // Nobody waits for it; without a catch its failure would end the process.
      if (answer instanceof Promise)
        answer.catch((error: unknown) => failed(exchange, ports, [name, phase], error));
    } catch (error) {
      failed(exchange, ports, [name, phase], error);
    }
    if (phase === 'response') exchange.steps?.note(name, phase, from);
  }
};

import type { Plugin, Ports } from '@sluice/plugins';
import { pluginCatalog } from '@sluice/plugins';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyReaders, runAccess, runBody, runInspect, runResponse, runSettle } from '../src/chain.ts';
import type { ProxyExchange } from '../src/exchange.ts';
import { plugin as entityOf } from './edge-world.ts';

const RUNS = Number(process.env.SLUICE_FUZZ_RUNS ?? 60);

/** What a plugin cannot be configured without. */
const NEEDED: Readonly<Record<string, unknown>> = {
  acl: { allow: ['a'] },
  'ai-prompt-guard': { deny_patterns: ['secret'] },
  'bot-detection': { deny: ['curl'] },
  'file-log': { path: '/tmp/sluice-hostile-plugins.log' },
  'http-log': { http_endpoint: 'http://127.0.0.1:1/' },
  'ip-restriction': { allow: ['10.0.0.0/8'] },
  opentelemetry: { endpoint: 'http://127.0.0.1:1/v1/traces' },
  'proxy-cache': { strategy: 'memory' },
  'rate-limiting': { minute: 5 },
  'request-validation': { body_schema: { type: 'object' } },
  'response-validation': { body_schema: { type: 'object' } },
  'response-ratelimiting': { limits: { video: { minute: 5 } } },
  'request-transformer': { add: { headers: ['a:$(headers.b)'], body: ['c:d'] } },
  'response-transformer': { add: { json: ['a:b'], headers: ['c:d'] } },
  shadow: { url: 'http://127.0.0.1:1/' },
  'tcp-log': { host: '127.0.0.1', port: 1 },
  'udp-log': { host: '127.0.0.1', port: 1 },
  zipkin: { http_endpoint: 'http://127.0.0.1:1/' },
};

const SCOPE = { pluginId: 'p', routeId: null, serviceId: null, consumerId: null };
/** What the edge itself reads of an exchange; plain fields there. */
const OWN = new Set(['chain', 'steps', 'turns', 'identity', 'id', 'route', 'then']);

class Hostile extends Error {}

/**
 * An object of any form: whatever is read or called of it gives the next of the values, of which some throw, some
 * reject, and most are not what anybody expects.
 */
const hostile = (plan: readonly unknown[], own: Readonly<Record<string, unknown>> = {}): never => {
  let turn = 0;
  const next = (): unknown => {
    turn += 1;
    const value = plan[turn % plan.length];
    if (value === 'throw') throw new Hostile('thrown');
    if (value === 'reject') {
      const rejected = Promise.reject(new Hostile('rejected'));
      rejected.catch(() => undefined); // the input's promise; what a plugin makes of it is the plugin's
      return rejected;
    }
    if (value === 'more') return deeper;
    return value;
  };
  const handler: ProxyHandler<() => unknown> = {
    get: (_target, name) =>
      typeof name === 'symbol' || name === 'then' ? undefined : OWN.has(name) ? own[name] : next(),
    apply: () => next(),
    has: () => true,
    set: () => true,
  };
  const deeper: unknown = new Proxy(() => undefined, handler);
  return deeper as never;
};

const ports = (plan: readonly unknown[]): Ports => {
  const safe = { count: () => undefined, log: () => undefined };
  const others = hostile(plan) as Record<string, unknown>;
  return new Proxy(safe as unknown as Ports, {
    get: (target, name) =>
      name in target ? target[name as keyof Ports] : () => (others as never as () => unknown)(),
  });
};

const chainOf = (plugin: Plugin) => {
  const prepared = plugin.prepare(plugin.config.parse(NEEDED[plugin.name] ?? {}), SCOPE);
  return {
    steps: [{ anyone: { entity: entityOf(plugin.name, {}), plugin, prepared }, byConsumer: undefined }],
  };
};

const values = fc.oneof(
  { weight: 4, arbitrary: fc.constant('more') },
  { weight: 2, arbitrary: fc.constant('throw') },
  { weight: 1, arbitrary: fc.constant('reject') },
  fc.string({ unit: 'binary' }),
  fc.constantFrom(undefined, null, Number.NaN, -1, 0, '', true, 'Bearer x.y.z', '{"a":', 'a=b&c[]=d'),
  fc.array(fc.string()),
);

describe('whatever a plugin gets, it costs its own request at most', () => {
  test.each(pluginCatalog.all().map((plugin) => [plugin.name, plugin] as const))(
    '%s',
    async (_name, plugin) => {
      const chain = chainOf(plugin);
      await fc.assert(
        fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 30 }), async (plan) => {
          const exchange = hostile(plan, { chain, id: 'x' }) as ProxyExchange;
          const outside = ports(plan);
          await within(Promise.resolve(runAccess(exchange, outside)));
          runResponse(exchange, outside);
          runInspect(exchange, outside);
          const [step] = chain.steps;
          bodyReaders(exchange, outside);
          if (step !== undefined) runBody(exchange, [step.anyone], Buffer.from(`${plan[0]}`), outside);
          runSettle(exchange, outside);
        }),
        { numRuns: RUNS, verbose: true },
      );
    },
  );
});

/** A plugin may wait for ever for what never comes; that is its request's timeout's matter. */
const within = (waiting: Promise<unknown>): Promise<unknown> =>
  Promise.race([waiting, new Promise((resolve) => setImmediate(() => setImmediate(resolve)))]);

test('every plugin was tried', () => {
  expect(pluginCatalog.all().length).toBeGreaterThan(20);
});

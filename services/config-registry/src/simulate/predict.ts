import {
  type DecisionRecord,
  GatewayError,
  PERIODS,
  type Period,
  type PluginVerdict,
  type SimulatedOutcome,
} from '@sluice/contracts';
import { canonicalJson, type Route } from '@sluice/gateway-config';
import { pluginCatalog } from '@sluice/plugins';
import {
  instanceFor,
  isConfusing,
  type MatchRequest,
  normalisePath,
  type PluginInstance,
  type RouteMatch,
  refuseProtocol,
  upstreamPath,
} from '@sluice/routing';
import type { Budgets } from './budgets.ts';
import { type Evidence, isSameScope } from './evidence.ts';
import { simulatedPorts } from './ports.ts';
import { type AskedRecord, headersOf, RecordedExchange } from './recorded-exchange.ts';
import { NotRecorded } from './recorded-headers.ts';
import type { Side } from './side.ts';

/** What a request is tried on, and what is known of it. */
export interface Trial {
  readonly side: Side;
  readonly evidence: Evidence;
  readonly budgets: Budgets;
}

/** They change requests or tell of them, and refuse none. */
export const REFUSES_NOBODY: ReadonlySet<string> = new Set([
  ...['correlation-id', 'request-id', 'response-transformer', 'prometheus', 'opentelemetry'],
  ...['zipkin', 'file-log', 'http-log', 'tcp-log', 'udp-log'],
]);
/** They go by names of arguments; a value matters only to who verifies it. */
const ASKS_FOR_NAMES: ReadonlySet<string> = new Set([
  ...['jwt', 'oidc', 'key-auth', 'request-termination', 'request-transformer'],
]);
/** The gateway's own refusals before a route is looked for; no configuration changes them. */
const UNREAD: ReadonlySet<string> = new Set(['GW_METHOD_NOT_ALLOWED', 'GW_HEADERS_TOO_LARGE']);
const MAX_PATH_CHARS = 1024;

/**
 * What a configuration makes of a recorded request: the request line of the edge, with the same router, the same
 * chains and the same handlers.
 * @throws NotRecorded when that depends on what no record has.
 */
export const predict = async (trial: Trial): Promise<SimulatedOutcome> => {
  const { record } = trial.evidence;
  const { refusal, path } = record;
  const byGateway = !record.plugins.some(({ verdict }) => verdict === 'refused');
  if (byGateway && refusal !== undefined && UNREAD.has(refusal.code)) return asRecorded(record);
  if (path.length >= MAX_PATH_CHARS) throw new NotRecorded('the end of its path');
  const target = normalisePath(path);
  // Framing, headers that contradict each other: refused whatever the routes are.
  if (target === undefined || (byGateway && refusal?.code === 'GW_BAD_REQUEST' && !target.isDoubtful))
    return asRecorded(record);
  const asked = lookUp(record, target.path);
  const match = trial.side.router.match(asked);
  if (match === undefined) return refused(new GatewayError('GW_NO_ROUTE'));
  if (target.isDoubtful && isMistakable(trial.side, asked, match))
    return refused(new GatewayError('GW_BAD_REQUEST'));
  return { route: match.value.name ?? match.value.id, ...(await runRoute(trial, match, target.path)) };
};

const asRecorded = ({ status, refusal }: DecisionRecord): SimulatedOutcome => ({
  verdict: 'refused',
  status,
  ...(refusal && { code: refusal.code }),
});

const refused = ({ code, status }: GatewayError, plugin?: string): SimulatedOutcome => ({
  verdict: code === 'GW_ANSWERED' ? 'answered' : 'refused',
  ...(plugin !== undefined && { plugin }),
  ...(code !== 'GW_ANSWERED' && { code }),
  status,
});

const lookUp = (record: AskedRecord, path: string): MatchRequest => {
  const { asked } = record;
  const headers = headersOf(record);
  return {
    ...{ method: record.method, host: record.host ?? '', port: asked.port, path, scheme: asked.scheme },
    ...{ headers: (name) => headers.getAll(name), sni: asked.serverName },
  };
};

const isMistakable = (side: Side, asked: MatchRequest, match: RouteMatch<Route>): boolean =>
  isConfusing(
    asked.path,
    match,
    (path) => side.router.match({ ...asked, path }),
    (route) => side.chainOf(route).isGuarded,
  );

const runRoute = async (trial: Trial, match: RouteMatch<Route>, path: string): Promise<SimulatedOutcome> => {
  const { side, evidence } = trial;
  const { record } = evidence;
  const route = match.value;
  const service = route.service === null ? undefined : side.state.get('services', route.service.id);
  const uriCaptures = match.captures ?? {};
  const exchange = new RecordedExchange(record, { path, route, service, uriCaptures });
  const wrongWay = refuseProtocol({
    ...{ route, scheme: record.asked.scheme, httpVersion: record.asked.httpVersion },
    ...{ isPeerTrusted: record.asked.isPeerTrusted, fromClient: exchange.fromClient },
    ...{ hostName: record.host ?? '', rawPath: record.path, query: '', hasBareQuestionMark: false },
  });
  if (wrongWay !== undefined) return refused(wrongWay);
  const { path: forwarded } = upstreamPath({
    ...{ servicePath: service?.path ?? null, stripPath: route.strip_path },
    ...{ matchedPath: match.matchedPath, path },
  });
  exchange.upstreamPath = writtenPath(side, route) ?? forwarded;
  const stopped = await runChain(trial, route, exchange);
  if (stopped !== undefined) return stopped;
  if (service === undefined) return refused(new GatewayError('GW_NO_SERVICE'));
  return forwardedTo(trial, route, side.upstreamOf(service.id, exchange.upstreamPath));
};

/** The path that a transformer writes, as its configuration has it: where it stays the same it is not run. */
const writtenPath = (side: Side, route: Route): string | undefined => {
  const config = side.chainOf(route).configOf('request-transformer');
  return config && writtenBy({ entity: { config } });
};

const writtenBy = ({ entity }: { entity: Pick<PluginInstance['entity'], 'config'> }): string | undefined =>
  (entity.config.replace as { uri?: string | null } | null)?.uri ?? undefined;

/** The status is known where the recorded request went the same way, and the same plugins looked at the answer. */
const forwardedTo = ({ side, evidence }: Trial, route: Route, upstream: string): SimulatedOutcome => {
  const { record, served } = evidence;
  if (record.upstream === undefined && record.outcome !== 'forwarded')
    return { verdict: 'forwarded', upstream };
  const before = servedWay(evidence);
  if (judgesOf(served, before.route) !== judgesOf(side, route))
    throw new NotRecorded('the answer that a plugin would look at');
  return { verdict: 'forwarded', upstream, ...(upstream === before.upstream && { status: record.status }) };
};

/** The route that served a request, and where it led. */
const servedWay = ({ record, served }: Evidence): { route: Route; upstream: string } => {
  const path = normalisePath(record.path)?.path ?? '';
  const match = served.router.match(lookUp(record, path));
  const service = record.service && served.state.get('services', record.service.id);
  if (match === undefined || match.value.id !== record.route?.id || service === undefined)
    throw new NotRecorded('how its route was found');
  const { path: forwarded } = upstreamPath({
    ...{ servicePath: service.path, stripPath: match.value.strip_path, path },
    matchedPath: match.matchedPath,
  });
  return {
    route: match.value,
    upstream: served.upstreamOf(service.id, writtenPath(served, match.value) ?? forwarded),
  };
};

/** The plugins of a route that may refuse an upstream's answer, and how they are configured. */
const judgesOf = (side: Side, route: Route): string =>
  side
    .chainOf(route)
    .steps.flatMap(({ anyone, byConsumer }) => [anyone, ...(byConsumer?.values() ?? [])])
    .filter((one) => one !== undefined && (one.plugin.inspect ?? one.plugin.oversize) !== undefined)
    .map((one) =>
      canonicalJson({ name: one?.plugin.name, config: one?.entity.config, mode: one?.entity.mode }),
    )
    .join();

const runChain = async (
  trial: Trial,
  route: Route,
  exchange: RecordedExchange,
): Promise<SimulatedOutcome | undefined> => {
  const { side, evidence } = trial;
  const counted = new Set<string>();
  let stopped: SimulatedOutcome | undefined;
  for (const step of side.chainOf(route).steps) {
    const instance = instanceFor(step, exchange.identity?.consumer?.id);
    if (instance?.plugin.access === undefined || REFUSES_NOBODY.has(instance.plugin.name)) continue;
    const said = await judge(trial, instance, exchange, counted);
    if (said === undefined || instance.entity.mode === 'shadow') continue;
    stopped = said;
    break;
  }
  for (const { bucket, verdict, windows } of evidence.record.plugins)
    if (bucket !== undefined && windows !== undefined && verdict !== 'not_reached' && !counted.has(bucket))
      trial.budgets.leaveOut(evidence.record, bucket);
  return stopped;
};

/** What a policy says: as recorded where it is the same, else by its own handler. Undefined: it lets the request go on. */
const judge = async (
  trial: Trial,
  instance: PluginInstance,
  exchange: RecordedExchange,
  counted: Set<string>,
): Promise<SimulatedOutcome | undefined> => {
  const { evidence } = trial;
  const { name } = instance.plugin;
  const counts = name === 'rate-limiting';
  const isUnchanged = evidence.isUnchanged(instance);
  const recorded = isUnchanged && !counts ? evidence.verdictOf(name) : undefined;
  if (recorded !== undefined) {
    if (instance.plugin.authenticates === true && recorded.verdict === 'passed')
      exchange.identity = evidence.identity(instance);
    return recordedOutcome(evidence.record, recorded);
  }
  if (pluginCatalog.get(name) !== instance.plugin)
    throw new NotRecorded(`what ${name}, a plugin of your own, would say`);
  if (name === 'request-transformer' && writtenBy(instance)?.includes('$('))
    throw new NotRecorded('the path that request-transformer would write');
  exchange.goBy({ headers: name !== 'request-transformer', query: !ASKS_FOR_NAMES.has(name) });
  const ports = simulatedPorts(trial.side, evidence.record, {
    showsQuotaOnly: instance.entity.config.block_on_quota_exceeded !== true,
    spend: (key, limits) => {
      counted.add(key);
      const before = periodsBefore(evidence, instance);
      return trial.budgets.spend({ record: evidence.record, key, limits, isUnchanged, before });
    },
  });
  const answer = await instance.plugin.access?.(exchange, instance.prepared, ports);
  return answer === undefined ? undefined : refused(answer, name);
};

const recordedOutcome = (record: DecisionRecord, { plugin, verdict, reason }: PluginVerdict) => {
  if (reason === 'answered') return { verdict: 'answered' as const, plugin, status: record.status };
  return verdict === 'refused' ? { ...asRecorded(record), plugin } : undefined;
};

/** The periods that the policy in force counted for the same route and service. */
const periodsBefore = (evidence: Evidence, instance: PluginInstance): ReadonlySet<Period> => {
  const served = evidence.servedBy(instance.plugin.name);
  if (served === undefined || !isSameScope(served, instance)) return NO_PERIODS;
  return new Set(PERIODS.filter((period) => typeof served.entity.config[period] === 'number'));
};
const NO_PERIODS: ReadonlySet<Period> = new Set();

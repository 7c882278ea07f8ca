import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '@sluice/contracts';
import type { Ports } from '@sluice/plugins';
import type { MatchRequest, RouteMatch } from '@sluice/routing';
import { isConfusing, normalisePath, refuseProtocol, upstreamPath } from '@sluice/routing';
import type { LineWriter, Logger, Telemetry } from '@sluice/service-kit';
import { sendError } from './answer.ts';
import { runAccess, runSettle } from './chain.ts';
import { clientAddress, type TrustedPeers } from './client-address.ts';
import { headersForUpstream } from './client-headers.ts';
import { ProxyExchange } from './exchange.ts';
import { type AccessLogPolicy, logExchange } from './observe/access-log.ts';
import { serverNameOf } from './observe/asked-facts.ts';
import type { DecisionRecords } from './observe/decision-records.ts';
import type { EdgeMetrics } from './observe/metrics.ts';
import { RequestSteps } from './observe/request-steps.ts';
import { beginTrace, endRequestSpan, foreignParent } from './observe/tracing.ts';
import type { Presentation } from './presentation.ts';
import { screenRequest } from './screen.ts';
import type { CompiledConfig, CompiledRoute } from './snapshot/compile.ts';
import { type Forwarding, forward } from './upstream/forward.ts';
import { relayAnswer } from './upstream/relay-answer.ts';

/** Everything a request needs. `current` is replaced or changed between requests, never during a step of one. */
export interface Gateway extends Forwarding {
  current: CompiledConfig | undefined;
  /** Set at shutdown: readiness says so while requests are still answered. */
  isDraining: boolean;
  readonly ports: Ports;
  readonly metrics: EdgeMetrics;
  readonly records: DecisionRecords;
  readonly logger: Logger;
  readonly instance: string;
  readonly tracing: Pick<Telemetry, 'enabled' | 'rootShare'>;
  readonly trustedPeers: TrustedPeers;
  readonly realIpHeader: string;
  /** Whose list of addresses is read past the trusted ones; undefined: its last one is the client. */
  readonly passedOver: TrustedPeers | undefined;
  /** Ports as clients know them, by those that are listened on. */
  readonly portMaps: ReadonlyMap<number, number>;
  readonly shows: Presentation;
  /** Of all header lines of a request. */
  readonly maxHeadBytes: number;
  /** What a client says beside its trace reaches upstreams. */
  readonly passesBaggage: boolean;
  readonly accessLog: AccessLogPolicy;
  readonly accessLines: LineWriter;
}

/** What carries a request to its upstream and the answer back; resolves with a refusal when there is no answer. */
export type Carry = (
  gateway: Gateway,
  exchange: ProxyExchange,
  compiled: CompiledConfig,
) => Promise<GatewayError | undefined>;

/**
 * One request, start to end: open, screen, match, run the chain, forward, settle. `carry` is how it reaches the
 * upstream: as plain HTTP, or as an upgraded connection.
 */
export const handleRequest = async (
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
  carry: Carry = carryHttp,
): Promise<ProxyExchange> => {
  const compiled = gateway.current; // read once: a request lives in one configuration
  const exchange = openExchange(gateway, request, response);
  exchange.configVersion = gateway.records.version;
  let refusal =
    screenRequest(exchange, gateway.maxHeadBytes) ??
    matchRoute(exchange, compiled) ??
    runAccess(exchange, gateway.ports);
  if (refusal instanceof Promise) refusal = await refusal; // in the steady state everything is known at once
  refusal ??= await carryOn(gateway, exchange, compiled, carry);
  if (refusal !== undefined) sendError(exchange, refusal, gateway.ports);
  settleWhenDone(gateway, exchange);
  return exchange;
};

const openExchange = (
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): ProxyExchange => {
  const parent =
    headerOf(request, 'traceparent') ?? (gateway.tracing.enabled ? foreignParent(request) : undefined);
  const trace = beginTrace(gateway.tracing, request.method ?? 'GET', parent);
  const exchange = new ProxyExchange(request, response, trace);
  const { socket } = exchange;
  socket.isTrusted ??= gateway.trustedPeers.includes(socket.peer);
  exchange.scheme = socket.scheme;
  exchange.shows = gateway.shows;
  exchange.port = gateway.portMaps.get(socket.localPort) ?? socket.localPort;
  exchange.peer = socket.peer;
  exchange.isPeerTrusted = socket.isTrusted;
  exchange.mayCarryBaggage = gateway.passesBaggage;
  exchange.clientIp = clientAddress(
    exchange.peer,
    exchange.isPeerTrusted,
    headerOf(request, gateway.realIpHeader),
    gateway.passedOver,
  );
  return exchange;
};

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Reads target and host, finds the route, and prepares what goes upstream. */
const matchRoute = (
  exchange: ProxyExchange,
  compiled: CompiledConfig | undefined,
): GatewayError | undefined => {
  if (compiled === undefined) return new GatewayError('GW_NOT_READY');
  exchange.chain = compiled.chainOf(undefined);
  const target = normalisePath(exchange.rawTarget);
  if (target === undefined) return new GatewayError('GW_BAD_REQUEST');
  exchange.host = exchange.fromClient.get('host') ?? '';
  const host = exchange.hostRead;
  if (target.authority !== undefined && target.authority.toLowerCase() !== exchange.host.toLowerCase())
    return new GatewayError('GW_BAD_REQUEST'); // two hosts in one request: somebody behind us would read the other
  exchange.hostName = host?.host ?? '';
  exchange.path = target.path;
  exchange.rawPath = target.rawPath;
  exchange.query = target.query ?? '';
  exchange.hasBareQuestionMark = target.query === '';
  const asked = {
    method: exchange.method,
    host: exchange.hostName,
    port: host?.port ?? exchange.port,
    path: target.path,
    headers: (name) => exchange.fromClient.getAll(name),
    scheme: exchange.scheme,
    sni: exchange.scheme === 'https' ? serverNameOf(exchange.request.socket) : undefined,
  } satisfies MatchRequest;
  const match = compiled.router.match(asked);
  if (match === undefined) return new GatewayError('GW_NO_ROUTE');
  if (target.isDoubtful && isMistakable(asked, match, compiled)) return new GatewayError('GW_BAD_REQUEST');
  exchange.matched = match.value;
  exchange.uriCaptures = match.captures ?? {};
  exchange.chain = compiled.chainOf(match.value);
  if (exchange.chain.isTraced || exchange.trace.span !== undefined) exchange.steps = new RequestSteps();
  return refuseProtocol(exchange) ?? prepareUpstream(exchange, compiled, match.matchedPath);
};

/** An upstream could read a path out of the request that belongs to another route, or to none. */
const isMistakable = (
  asked: MatchRequest,
  match: RouteMatch<CompiledRoute>,
  compiled: CompiledConfig,
): boolean =>
  isConfusing(
    asked.path,
    match,
    (path) => compiled.router.match({ ...asked, path }),
    (route) => compiled.chainOf(route).isGuarded,
  );

const prepareUpstream = (
  exchange: ProxyExchange,
  compiled: CompiledConfig,
  matchedPath: string | undefined,
): GatewayError | undefined => {
  const { route } = exchange;
  const { fromClient, chain } = exchange;
  const namesRead = chain?.namesRead ?? NO_NAMES;
  const { isPeerTrusted, mayCarryBaggage, hasOddNames } = exchange;
  const sender = { namesRead, isPeerTrusted, mayCarryBaggage, hasOddNames };
  const headers = headersForUpstream(fromClient, sender);
  if (headers instanceof GatewayError) return headers;
  exchange.toUpstream = headers;
  exchange.upstreamQuery = exchange.query;
  exchange.service = route?.service ? compiled.services.get(route.service.id) : undefined;
  const { path, strippedPrefix } = upstreamPath({
    servicePath: exchange.service?.path ?? null,
    stripPath: route?.strip_path ?? false,
    matchedPath,
    path: exchange.path,
  });
  exchange.upstreamPath = path;
  exchange.forwardedPrefix = strippedPrefix;
  return undefined;
};
const NO_NAMES: ReadonlySet<string> = new Set();

const carryOn = (
  gateway: Gateway,
  exchange: ProxyExchange,
  compiled: CompiledConfig | undefined,
  carry: Carry,
): Promise<GatewayError | undefined> | GatewayError | undefined => {
  if (exchange.service === undefined || compiled === undefined) return new GatewayError('GW_NO_SERVICE');
  if (exchange.response.destroyed) return undefined; // the client left while the chain was asking
  return carry(gateway, exchange, compiled);
};

const carryHttp: Carry = async (gateway, exchange, compiled) => {
  const { service } = exchange;
  if (service === undefined) return new GatewayError('GW_NO_SERVICE');
  const answer = await forward(exchange, compiled, service, gateway);
  if (answer instanceof GatewayError) return exchange.body.overrun ?? answer;
  await relayAnswer(exchange, answer, gateway.ports);
  return undefined;
};

/** Everything that may come after the answer: metrics, log, the plugins' settle handlers, the span's end. */
const settleWhenDone = (gateway: Gateway, exchange: ProxyExchange): void => {
  if (exchange.response.closed || exchange.response.writableFinished) settle(gateway, exchange);
  else exchange.response.once('close', () => settle(gateway, exchange));
};

const settle = (gateway: Gateway, exchange: ProxyExchange): void => {
  exchange.end();
  runSettle(exchange, gateway.ports);
  gateway.metrics.record(exchange);
  gateway.records.note(exchange);
  logExchange(gateway.accessLines, exchange, gateway.accessLog);
  const { span } = exchange.trace;
  if (span !== undefined) endRequestSpan(span, exchange);
};

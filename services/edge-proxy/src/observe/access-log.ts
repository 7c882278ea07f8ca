import type { Service } from '@sluice/gateway-config';
import type { Identity } from '@sluice/plugins';
import type { LineWriter } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import type { CompiledRoute } from '../snapshot/compile.ts';

/** Which requests leave a line. */
export interface AccessLogPolicy {
  readonly requests: 'all' | 'errors' | 'off';
  /** Share of those below 400 that nobody refused, 0 to 1. */
  readonly sample: number;
}

/**
 * One line per finished request, in the field names of the other logs. Never a header's value, and the path
 * without its query: tokens travel there. Fields without a value are left out.
 */
export const logExchange = (lines: LineWriter, exchange: ProxyExchange, policy: AccessLogPolicy): void => {
  const { status, errorCode } = exchange;
  if (!isWanted(policy, status >= 400 || errorCode !== undefined) || !lines.isOn()) return;
  const { startedAt, forwardedAt, answeredAt, endedAt = performance.now() } = exchange.timing;
  const upstreamMs =
    forwardedAt === undefined || answeredAt === undefined ? undefined : answeredAt - forwardedAt;
  lines.write(
    `,"request_id":"${exchange.id}","trace_id":"${exchange.traceId}"` +
      textField('method', exchange.method) +
      clientField('path', exchange.loggedPath) +
      `,"status":${status}` +
      placeOf(exchange) +
      textField('target', exchange.target) +
      (exchange.tries > 1 ? `,"tries":${exchange.tries}` : '') +
      callerOf(exchange) +
      `,"decision":"${errorCode ?? 'forwarded'}"` +
      textField('client', exchange.clientIp) +
      `,"duration_ms":${tenths(endedAt - startedAt)}` +
      (upstreamMs === undefined ? '' : `,"upstream_ms":${tenths(upstreamMs)}`),
  );
};

/** The same for all requests of a route, so made once. */
const places = new WeakMap<CompiledRoute, { readonly service: Service | undefined; readonly text: string }>();

const placeOf = ({ matched, service }: ProxyExchange): string => {
  if (matched === undefined) return '';
  const known = places.get(matched);
  if (known !== undefined && known.service === service) return known.text;
  const { name, id } = matched.route;
  const text = textField('route', name ?? id) + textField('service', service?.name);
  places.set(matched, { service, text });
  return text;
};

/** The same for all requests with a remembered verdict, which are the frozen ones; others would only fill the map. */
const callers = new WeakMap<Identity, string>();

const callerOf = ({ identity, fromClient }: ProxyExchange): string => {
  const known = identity === undefined ? undefined : callers.get(identity);
  if (known !== undefined) return known;
  const text =
    clientField('tenant', identity?.tenantId ?? fromClient.get('x-tenant-id')) +
    clientField('consumer', identity?.consumer?.username);
  if (identity?.tenantId !== undefined && Object.isFrozen(identity)) callers.set(identity, text);
  return text;
};

/** What somebody will ask about is never left out by chance. */
const isWanted = ({ requests, sample }: AccessLogPolicy, hasFailed: boolean): boolean => {
  if (requests === 'off') return false;
  return hasFailed || (requests === 'all' && (sample === 1 || Math.random() < sample));
};

/** Nothing in it has to be escaped. */
const PLAIN = /^[ !#-[\]-~]*$/;

const textField = (name: string, value: string | null | undefined): string => {
  if (value === undefined || value === null) return '';
  return PLAIN.test(value) ? `,"${name}":"${value}"` : `,"${name}":${JSON.stringify(value)}`;
};

/** Control characters beyond ASCII, and what some readers of logs take for the end of a line. */
const BREAKING = /[\u007f-\u009f\u2028\u2029]/;
const EVERY_BREAKING = new RegExp(BREAKING, 'g');
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** As `textField`, for what a client chose. */
const clientField = (name: string, value: string | null | undefined): string => {
  const field = textField(name, value);
  if (typeof value !== 'string' || PLAIN.test(value)) return field;
  return BREAKING.test(field) ? field.replace(EVERY_BREAKING, escaped) : field;
};

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

import { GatewayError } from '@sluice/contracts';
import type { Route } from '@sluice/gateway-config';

/** A matched request, as far as its protocol matters. */
export interface Arrived {
  readonly route: Route | undefined;
  readonly scheme: 'http' | 'https';
  /** `1.1`, `1.0` or `2.0`. */
  readonly httpVersion: string;
  readonly isPeerTrusted: boolean;
  readonly fromClient: { get(name: string): string | undefined };
  /** `Host` without its port. */
  readonly hostName: string;
  readonly rawPath: string;
  readonly query: string;
  readonly hasBareQuestionMark: boolean;
}

/** Refuses a request that came another way than its route's protocols say (kong-compat 3.3). */
export const refuseProtocol = (exchange: Arrived): GatewayError | undefined => {
  const { route, fromClient, httpVersion } = exchange;
  if (route === undefined) return undefined;
  const has = (protocol: (typeof route.protocols)[number]) => route.protocols.includes(protocol);
  if (has('https') && !has('http') && !isSecure(exchange)) return toHttps(exchange);
  if (!has('grpc') && !has('grpcs')) return undefined;
  if (!isGrpc(fromClient.get('content-type'))) return new GatewayError('GW_NOT_GRPC');
  if (httpVersion === '2.0') return undefined;
  return new GatewayError('GW_PROTOCOL_TOO_OLD', { headers: { Connection: 'Upgrade', Upgrade: 'HTTP/2' } });
};

/** Whether a body of that type is a gRPC message. */
export const isGrpc = (contentType: string | undefined): boolean =>
  contentType?.startsWith('application/grpc') ?? false;

/** By TLS to us, or to a trusted peer in front of us. */
const isSecure = ({ scheme, isPeerTrusted, fromClient }: Arrived): boolean =>
  scheme === 'https' || (isPeerTrusted && fromClient.get('x-forwarded-proto') === 'https');

const toHttps = (exchange: Arrived): GatewayError => {
  const status = exchange.route?.https_redirect_status_code ?? 426;
  if (status === 426)
    return new GatewayError('GW_HTTPS_REQUIRED', {
      headers: { Connection: 'Upgrade', Upgrade: 'TLS/1.2, HTTP/1.1' },
    });
  const { isPeerTrusted, fromClient, hostName, rawPath, query, hasBareQuestionMark } = exchange;
  const host = (isPeerTrusted ? fromClient.get('x-forwarded-host') : undefined) ?? hostName;
  const target = query === '' && !hasBareQuestionMark ? rawPath : `${rawPath}?${query}`;
  const headers = { Location: `https://${host}${target}` };
  return new GatewayError('GW_HTTPS_REQUIRED', { status, body: null, headers });
};

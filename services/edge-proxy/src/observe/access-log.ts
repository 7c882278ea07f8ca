import type { Logger } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';

/**
 * One line per finished request, in the field names of the other logs. Never a header's value, and the path
 * without its query: tokens travel there.
 */
export const logExchange = (
  logger: Logger,
  exchange: ProxyExchange,
  policy: 'all' | 'errors' | 'off',
): void => {
  const { response, upstream } = exchange;
  // 499 is Kong's word for a client that left before its answer began
  const status = response.headersSent ? response.statusCode : (upstream?.status ?? 499);
  if (policy === 'off' || (policy === 'errors' && status < 400 && exchange.errorCode === undefined)) return;
  const { startedAt, forwardedAt, answeredAt } = exchange.timing;
  logger.info(
    {
      request_id: exchange.id,
      trace_id: exchange.traceId,
      method: exchange.method,
      path: exchange.rawPath,
      status,
      route: exchange.route?.name ?? exchange.route?.id,
      service: exchange.service?.name ?? undefined,
      target: exchange.target,
      tries: exchange.tries > 1 ? exchange.tries : undefined,
      tenant: exchange.identity?.tenantId ?? exchange.fromClient.get('x-tenant-id'),
      consumer: exchange.identity?.consumer?.username,
      decision: exchange.errorCode ?? 'forwarded',
      client: exchange.clientIp,
      duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
      upstream_ms:
        forwardedAt === undefined || answeredAt === undefined
          ? undefined
          : Math.round((answeredAt - forwardedAt) * 10) / 10,
    },
    'request',
  );
};

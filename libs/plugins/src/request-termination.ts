import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import { between, checked, type Finding, flag, headerText, record, text, unset, WHOLE } from './fields.ts';
import { definePlugin } from './plugin.ts';
import { parseArgs } from './query-args.ts';

const MESSAGES = new Map([
  [401, 'Unauthorized'],
  [404, 'Not found'],
  [405, 'Method not allowed'],
  [500, 'An unexpected error occurred'],
  [502, 'Bad Gateway'],
  [503, 'Service unavailable'],
]);
const DEFAULT_CONTENT_TYPE = 'application/json; charset=utf-8';

const Config = record({
  status_code: between(100, 599).default(503).describe('Status of the answer.'),
  message: unset(text()).describe('Message of the answer, as JSON.'),
  content_type: unset(headerText()).describe('Content-Type of `body`.'),
  body: unset(text()).describe('Body of the answer, sent as it is.'),
  echo: flag().default(false).describe('Show the request in the answer.'),
  trigger: unset(headerText()).describe('Header or query argument; only requests with it are answered.'),
});
type TerminationConfig = z.output<typeof Config>;

const findings = function* (config: TerminationConfig): Generator<Finding> {
  const { message, content_type, body, echo } = config;
  const entity = (text: string): Finding => ({ path: WHOLE, message: text });
  if (message !== null && (content_type !== null || body !== null))
    yield entity('message cannot be used with content_type or body');
  if (content_type !== null && body === null) yield entity('content_type requires a body');
  if (echo && (content_type !== null || body !== null))
    yield entity('echo cannot be used with content_type and body');
};

const isTriggered = ({ fromClient, query }: Exchange, trigger: string | null): boolean =>
  trigger === null || fromClient.has(trigger) || parseArgs(query).some(({ name }) => name === trigger);

const headersOf = ({ fromClient }: Exchange): Record<string, string> =>
  Object.fromEntries([...fromClient.entries()].map(([name, value]) => [name.toLowerCase(), value]));

const echoOf = (exchange: Exchange, message: string | undefined) => ({
  message,
  kong: { node_id: '', worker_pid: process.pid, hostname: '' },
  request: {
    scheme: exchange.scheme,
    host: exchange.host.replace(/:\d+$/, ''),
    port: exchange.port,
    headers: headersOf(exchange),
    query: Object.fromEntries(parseArgs(exchange.query).map(({ name, value }) => [name, value])),
    method: exchange.method,
    path: exchange.path,
    uri_captures: exchange.uriCaptures,
  },
  matched_route: exchange.route,
  matched_service: exchange.service,
});

/** Kong's `request-termination`: a fixed answer instead of the upstream's. */
export const requestTermination = definePlugin({
  name: 'request-termination',
  priority: 2,
  summary: 'Answers every request with a fixed status and body.',
  config: checked(Config, findings),
  access: (exchange, config: TerminationConfig) => {
    if (!isTriggered(exchange, config.trigger)) return undefined;
    const { status_code: status, body } = config;
    if (body !== null) {
      const headers = { 'Content-Type': config.content_type ?? DEFAULT_CONTENT_TYPE };
      return new GatewayError('GW_ANSWERED', { status, body, headers });
    }
    const message = config.message ?? MESSAGES.get(status);
    if (config.echo) return new GatewayError('GW_ANSWERED', { status, body: echoOf(exchange, message) });
    return new GatewayError('GW_ANSWERED', { status, body: message === undefined ? null : { message } });
  },
});

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import {
  between,
  checked,
  type Finding,
  flag,
  headerName,
  headerText,
  record,
  text,
  unset,
  WHOLE,
} from './fields.ts';
import { definePlugin } from './plugin.ts';
import { parseArgs } from './query-args.ts';
import { bodyKindOf, parseObject } from './transform-body.ts';

const MESSAGES = new Map([
  [401, 'Unauthorized'],
  [404, 'Not found'],
  [405, 'Method not allowed'],
  [500, 'An unexpected error occurred'],
  [502, 'Bad Gateway'],
  [503, 'Service unavailable'],
]);
/** Longer bodies are not shown. */
const MAX_BODY_BYTES = 1024 * 1024;
/** What an edge calls itself; as long as it runs. */
const NODE_ID = randomUUID();
const DEFAULT_CONTENT_TYPE = 'application/json; charset=utf-8';

const Config = record({
  status_code: between(100, 599).default(503).describe('Status of the answer.'),
  message: unset(text()).describe('Message of the answer, as JSON.'),
  content_type: unset(headerText()).describe('Content-Type of `body`.'),
  body: unset(text()).describe('Body of the answer, sent as it is.'),
  echo: flag().default(false).describe('Show the request in the answer.'),
  trigger: unset(headerName()).describe('Header or query argument; only requests with it are answered.'),
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

/** Values by name; of a name with several, all in order. */
const grouped = <V>(entries: Iterable<readonly [name: string, value: V]>): Record<string, V | V[]> => {
  const groups = new Map<string, V[]>();
  for (const [name, value] of entries) groups.set(name, [...(groups.get(name) ?? []), value]);
  return Object.fromEntries(
    [...groups].map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
  ) as Record<string, V | V[]>;
};

const argsOf = (text: string) => grouped(parseArgs(text).map(({ name, value }) => [name, value] as const));

const headersOf = ({ fromClient }: Exchange) =>
  grouped([...fromClient.entries()].map(([name, value]) => [name.toLowerCase(), value] as const));

/** The body as the values it says; undefined where it says none. */
const valuesIn = (body: Buffer, contentType: string | undefined): unknown => {
  const kind = bodyKindOf(contentType);
  if (kind === 'form') return argsOf(body.toString('latin1'));
  const object = kind === 'json' ? parseObject(body) : undefined;
  return object && Object.fromEntries(object);
};

const echoOf = async (exchange: Exchange, message: string | undefined) => {
  const body = (await exchange.readBody(MAX_BODY_BYTES)) ?? Buffer.alloc(0);
  return {
    message,
    kong: { node_id: NODE_ID, worker_pid: process.pid, hostname: hostname() },
    request: {
      scheme: exchange.scheme,
      host: exchange.host.replace(/:\d+$/, ''),
      port: exchange.port,
      headers: headersOf(exchange),
      query: argsOf(exchange.query),
      body: valuesIn(body, exchange.fromClient.get('content-type')),
      raw_body: body.toString(),
      method: exchange.method,
      path: exchange.path,
      uri_captures: exchange.uriCaptures,
    },
    matched_route: exchange.route,
    matched_service: exchange.service,
  };
};

/** Kong's `request-termination`: a fixed answer instead of the upstream's. */
export const requestTermination = definePlugin({
  name: 'request-termination',
  priority: 2,
  reads: { namedBy: ['trigger'] },
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
    if (config.echo)
      return echoOf(exchange, message).then(
        (echo) => new GatewayError('GW_ANSWERED', { status, body: echo }),
      );
    return new GatewayError('GW_ANSWERED', { status, body: message === undefined ? null : { message } });
  },
});

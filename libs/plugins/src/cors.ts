import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import { compileOrigins, isOriginPattern } from './cors-origins.ts';
import type { Exchange, HeaderList } from './exchange.ts';
import { checked, choice, decimal, type Finding, flag, headerText, listOf, record, unset } from './fields.ts';
import { definePlugin } from './plugin.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'] as const;

const Config = record({
  origins: unset(listOf(headerText())).describe(
    'Allowed origins: as written, `*`, or a pattern; unset: all.',
  ),
  headers: unset(listOf(headerText())).describe('Allowed request headers; unset: those that are asked for.'),
  exposed_headers: unset(listOf(headerText())).describe('Response headers that scripts may read.'),
  methods: listOf(choice(METHODS))
    .default([...METHODS])
    .describe('Allowed methods.'),
  max_age: unset(decimal()).describe('How long a browser may keep the preflight answer, in seconds.'),
  credentials: flag().default(false).describe('Scripts may send cookies and authorization.'),
  private_network: flag().default(false).describe('Public pages may call this private network.'),
  preflight_continue: flag().default(false).describe('Leave preflight requests to the upstream.'),
  allow_origin_absent: flag().default(true).describe('Answer requests without Origin as well.'),
});
type CorsConfig = z.output<typeof Config>;

const findings = function* ({ origins }: CorsConfig): Generator<Finding> {
  for (const [i, origin] of (origins ?? []).entries())
    if (!isOriginPattern(origin)) yield { path: ['origins', i], message: `'${origin}' is not a valid regex` };
};

const prepare = (config: CorsConfig) => ({
  config,
  allowed: compileOrigins(config.origins ?? []),
  exposed: config.exposed_headers?.join(',') ?? '',
});
type Prepared = ReturnType<typeof prepare>;

const varyByOrigin = (headers: HeaderList): void => {
  if (!headers.has('Vary')) {
    headers.append('Vary', 'Origin');
    return;
  }
  const names = headers.getAll('Vary').flatMap((line) => line.toLowerCase().split(/\s*,\s*/));
  if (!names.includes('origin') && !names.includes('*')) headers.append('Vary', 'Origin');
};

const showOrigin = ({ fromClient }: Exchange, prepared: Prepared, headers: HeaderList): void => {
  const { credentials, allow_origin_absent } = prepared.config;
  const origin = fromClient.get('Origin') || undefined;
  if (prepared.allowed.varies) varyByOrigin(headers);
  headers.delete('Access-Control-Allow-Origin');
  if (origin === undefined && !allow_origin_absent) return;
  const allowed = prepared.allowed.originFor(origin);
  // A browser refuses credentials together with `*`, so the origin itself is named.
  const isNamed = allowed === '*' && credentials && origin !== undefined;
  if (isNamed) varyByOrigin(headers);
  if (allowed !== undefined) headers.set('Access-Control-Allow-Origin', isNamed ? origin : allowed);
  if (credentials && (allowed !== '*' || isNamed)) headers.set('Access-Control-Allow-Credentials', 'true');
};

const isPreflight = ({ method, fromClient }: Exchange): boolean =>
  method === 'OPTIONS' &&
  Boolean(fromClient.get('Origin')) &&
  fromClient.has('Access-Control-Request-Method');

const showPermissions = ({ fromClient, toClient }: Exchange, config: CorsConfig): void => {
  const asked = fromClient.get('Access-Control-Request-Headers');
  const headers = config.headers?.length ? config.headers.join(',') : asked;
  if (headers) toClient.set('Access-Control-Allow-Headers', headers);
  toClient.set('Access-Control-Allow-Methods', config.methods.join(','));
  if (config.max_age !== null) toClient.set('Access-Control-Max-Age', `${config.max_age}`);
  if (config.private_network && fromClient.get('Access-Control-Request-Private-Network') === 'true')
    toClient.set('Access-Control-Allow-Private-Network', 'true');
};

/** Kong's `cors`: which pages may call, answered for preflights before any authentication. */
export const cors = definePlugin({
  name: 'cors',
  priority: 2000,
  reads: { always: ['origin', 'access-control-request-method', 'access-control-request-headers'] },
  summary: 'Answers CORS preflights and adds CORS headers.',
  config: checked(Config, findings),
  consumerScope: false,
  prepare,
  access: (exchange, prepared) => {
    if (!isPreflight(exchange)) return undefined;
    // A preflight's answer is complete here, or is the upstream's: the response phase adds nothing to it.
    exchange.memo.set('cors', 'preflight');
    if (prepared.config.preflight_continue) return undefined;
    showOrigin(exchange, prepared, exchange.toClient);
    showPermissions(exchange, prepared.config);
    return new GatewayError('GW_ANSWERED', { body: null });
  },
  response: (exchange, prepared) => {
    if (exchange.memo.get('cors') === 'preflight') return;
    showOrigin(exchange, prepared, exchange.toClient);
    if (prepared.exposed !== '') exchange.toClient.set('Access-Control-Expose-Headers', prepared.exposed);
  },
});

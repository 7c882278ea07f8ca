import { authVerify, ratelimitCheck } from '@sluice/contracts';
import { INSTRUMENTS } from '@sluice/plugins';
import { sharedSettings } from '@sluice/service-kit';
import { z } from 'zod';
import { PRESENTED } from './presentation.ts';

const flag = z
  .enum(['true', 'false', 'on', 'off', '1', '0'])
  .transform((text) => text === 'true' || text === 'on' || text === '1');

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const headerList = z
  .string()
  .toLowerCase()
  .pipe(list)
  .pipe(z.array(z.enum(PRESENTED)));
const portMap = list.pipe(z.array(z.string().regex(/^\d{1,5}:\d{1,5}$/, 'write outer:inner')));

/** Everything that can be set on an edge, by environment variables. */
export const Settings = z.object({
  ...sharedSettings,
  STATUS_PORT: sharedSettings.STATUS_PORT.default(8100),
  PROXY_HOST: z.string().default('0.0.0.0').describe('Address clients connect to.'),
  PROXY_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8000)
    .describe('Port clients connect to; 0 takes a free one.'),
  TLS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe(
      'Port clients connect to by TLS, HTTP/2 included (Kong: 8443); 0 takes a free one, unset is off.',
    ),
  REUSE_PORT: flag.default(false).describe('Share the port with other edges on this machine.'),
  DATA_DIR: z.string().default('.local/edge-proxy').describe('Folder of the last-known-good configuration.'),
  TRUSTED_IPS: list
    .default([])
    .describe('Addresses and CIDR blocks whose X-Forwarded-* and real-ip headers are believed.'),
  REAL_IP_HEADER: z
    .string()
    .toLowerCase()
    .default('x-real-ip')
    .describe('Header a trusted peer names the client in.'),
  REAL_IP_RECURSIVE: flag
    .default(false)
    .describe('Of a list in REAL_IP_HEADER the last that is not in TRUSTED_IPS is the client, not the last.'),
  PORT_MAPS: portMap
    .default([])
    .describe('Ports as clients know them, `outer:inner`: what X-Forwarded-Port says and routes compare.'),
  HEADERS: headerList
    .default(['server_tokens', 'latency_tokens', 'x-kong-request-id'])
    .describe(
      'Lines of its own on answers: server_tokens, latency_tokens, Server, Via, X-Kong-Proxy-Latency, X-Kong-Response-Latency, X-Kong-Upstream-Latency, X-Kong-Upstream-Status, X-Kong-Request-Id; off: none.',
    ),
  HEADERS_UPSTREAM: headerList
    .default(['x-kong-request-id'])
    .describe('Lines of its own that upstreams need not get: X-Kong-Request-Id, or off.'),
  ALLOW_DEBUG_HEADER: flag
    .default(false)
    .describe('Who sends `Kong-Debug: 1` is told names and ids of route and service.'),
  ERROR_DEFAULT_TYPE: z
    .enum(['text/plain', 'text/html', 'application/json', 'application/xml'])
    .default('text/plain')
    .describe('Form of an error page for a client that says neither Accept nor Content-Type.'),
  BAGGAGE: z
    .enum(['drop', 'pass'])
    .default('drop')
    .describe(
      'W3C baggage of clients: upstreams do not get it, or as it came. That of TRUSTED_IPS they always get.',
    ),
  CONNECT_TO: list
    .default([])
    .describe('Where to connect instead: `host:port=host:port`, like curl --connect-to. Host headers stay.'),
  DNS_RESOLVER: list
    .default([])
    .describe('DNS servers for the targets of upstreams, `ip` or `ip:port`; empty: those of the machine.'),
  FORWARD_ENGINE: z
    .enum(['undici', 'http-proxy-3'])
    .default('undici')
    .describe('What carries requests to upstreams; upgraded connections are always carried by http-proxy-3.'),
  RETRY_BUDGET_PERCENT: z
    .union([z.literal('off'), z.coerce.number().min(0).max(100)])
    .default(20)
    .describe(
      'Most requests of a service that are sent again after a failure, of each hundred, once there are more than 10 a second of them; off: no bound but `retries`.',
    ),
  TARGET_BREAKER_FAILURES: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe(
      'Failed connections and timeouts in a row after which a target gets one request a second until it answers; 0: never.',
    ),
  VERDICT_CACHE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(32 * 1024 * 1024)
    .describe('Memory for verdicts about credentials, in bytes.'),
  VERDICT_CACHE_MAX_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(60_000)
    .describe('Longest life of a cached verdict, in ms.'),
  LEASES: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('auto: parts of large limits are leased to the edge; off: the limiter counts every request.'),
  ANSWER_CACHE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024)
    .describe('Memory for answers that proxy-cache keeps, in bytes.'),
  AUTH_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(30_000)
    .default(authVerify.timeoutMs)
    .describe('Longest wait for a verdict of auth about a credential, in ms; then 503.'),
  LIMIT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(30_000)
    .default(ratelimitCheck.timeoutMs)
    .describe(
      'Longest wait for ratelimit, in ms; then the edge decides alone. COMMAND_TIMEOUT_MS of ratelimit has to be below it.',
    ),
  OVERLOAD_LAG_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(50)
    .describe(
      'How late the event loop may be, in ms, before requests are refused with 503, from those who ask most; 0: never.',
    ),
  ACCESS_LOG: z
    .enum(['all', 'errors', 'off'])
    .default('all')
    .describe('Requests that get a log line; `errors` are status 400 and above.'),
  ACCESS_LOG_SAMPLE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      'Share of the requests below status 400 that get their line where ACCESS_LOG is `all`, 0 to 1; refusals and errors always do.',
    ),
  DECISION_RING: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(4096)
    .describe('Latest requests whose decision record an edge remembers, about 1 KB each; 0: none.'),
  DECISION_SAMPLE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe(
      'Share of the requests that nobody refused which the stream DECISIONS is told, too, 0 to 1; refusals always are.',
    ),
  TENANT_SERIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(50)
    .describe('Largest tenants that have metrics of their own; all others are counted together.'),
  PLUGINS_DIR: z
    .string()
    .optional()
    .describe('Folder of your own plugins, `.ts` or `.js` files; unset: only the built-in ones.'),
  PLUGIN_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('Longest wait for the access handler of one of your own plugins, in ms; then 500.'),
  TRACING_INSTRUMENTATIONS: list
    .pipe(z.array(z.enum(['off', 'all', ...INSTRUMENTS])))
    .default(['all'])
    .describe('Spans that the plugin opentelemetry makes; `off`: it passes traces on but records none.'),
  TRACING_SAMPLING_RATE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Share of requests that opentelemetry records where its configuration does not say, 0 to 1.'),
  MAX_HEADER_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .default(32 * 1024)
    .describe('Largest request head, in bytes.'),
  HEADERS_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(60_000)
    .describe('How long a client may take to send the head of a request, in ms; then 408.'),
  BODY_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(50_000)
    .describe(
      'A client that sends less than 1 KiB of a body in this time, in ms, while nothing but it is waited for gets 408; 0: it may take its time.',
    ),
  MAX_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .default(20_000)
    .describe(
      'Client connections at one time, on the plain port and on the TLS port each; more are closed at once.',
    ),
  KEEP_ALIVE_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(75_000)
    .describe('How long an idle client connection stays open, in ms.'),
  CLIENT_STALL_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(60_000)
    .describe(
      'How long a client may take nothing of an answer that waits for it, in ms, before it is cut off (nginx: send_timeout). Looked at every read_timeout.',
    ),
  SHUTDOWN_DELAY_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('Wait between "not ready" and closing the port, in ms, for load balancers to notice.'),
});
export type Settings = z.output<typeof Settings>;

import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import {
  between,
  checked,
  choice,
  decimal,
  type Finding,
  flag,
  headerName,
  httpUrl,
  record,
  setOf,
  text,
} from './fields.ts';
import { definePlugin, type PluginScope } from './plugin.ts';
import type { Ports } from './ports.ts';
import type { ShadowCopy, ShadowSkip, ShadowTerms } from './shadow-terms.ts';
import { mediaTypeOf } from './validation-body.ts';

const MEMO = 'shadow';
/** Marks copies whatever `marker` says: two gateways that shadow each other need not agree on a name. */
const COPY_HEADER = 'X-Sluice-Shadow';
/** They change nothing (RFC 9110 section 9.2.1); a copy of any other writes twice. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'] as const;
const METHODS = [...SAFE_METHODS, 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const MAX_BYTES = 8 * 1024 * 1024;
const KIB = 1024;

const percent = () => {
  const message = 'value should be between 0 and 100';
  return decimal().min(0, message).max(100, message);
};

const Config = record({
  url: httpUrl().describe('The second gateway; the path and query that the client sent follow it.'),
  percent: percent().default(100).describe('Share of the requests that is copied, in percent.'),
  methods: setOf(choice(METHODS))
    .default([...SAFE_METHODS])
    .describe('Methods that are copied. A copy of a POST may write twice.'),
  max_body_bytes: between(0, MAX_BYTES)
    .default(256 * KIB)
    .describe('Requests with a larger body are not copied, in bytes.'),
  max_answer_bytes: between(0, MAX_BYTES)
    .default(256 * KIB)
    .describe('Larger bodies of answers are not compared, in bytes.'),
  timeout: between(1, 600_000)
    .default(10_000)
    .describe('Longest wait for the whole answer to a copy, in ms.'),
  concurrency: between(1, 1000)
    .default(32)
    .describe('Copies under way at the same time, on each edge; a request beyond that is not copied.'),
  compare: record({
    status: flag().default(true).describe('Compare the status.'),
    headers: setOf(headerName()).default(['content-type']).describe('Headers of the answers to compare.'),
    body: choice(['json', 'bytes', 'off'])
      .default('json')
      .describe('json: by what JSON says, where both are JSON; bytes: as they are; off: not at all.'),
    ignore: setOf(text().min(1, 'length must be at least 1'))
      .default(['request_id'])
      .describe('Members of JSON bodies that may differ, as data.*.updated_at.'),
  })
    .prefault({})
    .describe('What of the two answers has to be equal.'),
  marker: headerName()
    .default(COPY_HEADER)
    .describe(
      'Header that marks a copy and has the id of its request; what comes with it is not copied again.',
    ),
  forward_credentials: flag()
    .default(false)
    .describe('Copies have the credentials of the request: headers, cookies, keys in the query.'),
  tls_verify: flag().default(true).describe('Check the certificate of the second gateway.'),
});
type ShadowConfig = z.output<typeof Config>;

const findings = function* ({ url: address, marker }: ShadowConfig): Generator<Finding> {
  const url = URL.parse(address);
  if (url !== null && (url.username !== '' || url.password !== ''))
    yield { path: ['url'], message: 'must not hold a login; copies are sent as the client was' };
  if (url !== null && (url.search !== '' || url.hash !== ''))
    yield { path: ['url'], message: 'must end with its path; the query is the one of each request' };
  if (/^(?:host|content-length|transfer-encoding|connection)$/i.test(marker))
    yield { path: ['marker'], message: `cannot be '${marker}'; name a header of your own` };
};

const warnings = ({ methods, forward_credentials, url: address }: ShadowConfig): string[] => {
  const writing = methods.filter((method) => !(SAFE_METHODS as readonly string[]).includes(method));
  const isPlain = address.startsWith('http:') && !/^http:\/\/(?:localhost|127\.|\[::1\])/.test(address);
  return [
    ...(writing.length === 0
      ? []
      : [`copies of ${writing.join(', ')} write twice where both gateways have the same upstreams`]),
    ...(forward_credentials && isPlain ? ['credentials leave unencrypted: url is http'] : []),
  ];
};

const prepare = (config: ShadowConfig, { pluginId }: PluginScope) => ({
  methods: new Set<string>(config.methods),
  share: config.percent / 100,
  markers: [COPY_HEADER, config.marker],
  terms: {
    pluginId,
    url: config.url.replace(/\/+$/, ''),
    maxBodyBytes: config.max_body_bytes,
    maxAnswerBytes: config.max_answer_bytes,
    timeoutMs: config.timeout,
    concurrency: config.concurrency,
    marker: config.marker,
    forwardsCredentials: config.forward_credentials,
    verifyTls: config.tls_verify,
    compare: {
      status: config.compare.status,
      headers: config.compare.headers.map((name) => name.toLowerCase()),
      body: config.compare.body,
      ignore: config.compare.ignore.map((path) => path.split('.')),
    },
  } satisfies ShadowTerms,
});
type Prepared = ReturnType<typeof prepare>;

const HEX = 16;
const ID_DIGITS = 8;
/** The id is random, so its first digits are a draw, and the same one in every phase. */
const drawOf = (id: string): number => Number.parseInt(id.slice(0, ID_DIGITS), HEX) / HEX ** ID_DIGITS;

const reasonToSkip = (exchange: Exchange, { methods, markers }: Prepared): ShadowSkip | undefined => {
  const { method, fromClient } = exchange;
  if (markers.some((name) => fromClient.has(name))) return 'copy';
  if (!methods.has(method)) return 'method';
  return fromClient.has('upgrade') ? 'upgrade' : undefined;
};

const open = (exchange: Exchange, prepared: Prepared, { shadow }: Ports): ShadowCopy | undefined => {
  if (drawOf(exchange.id) >= prepared.share) return undefined;
  const reason = reasonToSkip(exchange, prepared);
  if (reason === undefined) return shadow.open(exchange, prepared.terms);
  shadow.skip(exchange, reason);
  return undefined;
};

/** The copy of this request; decided when it is asked for first. */
const copyOf = (exchange: Exchange, prepared: Prepared, ports: Ports): ShadowCopy | undefined => {
  const { memo } = exchange;
  if (!memo.has(MEMO)) memo.set(MEMO, open(exchange, prepared, ports));
  return memo.get(MEMO) as ShadowCopy | undefined;
};

const isEndless = ({ toClient }: Exchange): boolean =>
  mediaTypeOf(toClient.get('content-type')) === 'text/event-stream';

/**
 * Sends a copy of requests to a second gateway and compares the answers, so that one can be run beside the other
 * before it takes over. It stands before every other plugin, so that refusals are compared, too.
 */
export const shadow = definePlugin({
  name: 'shadow',
  priority: 200_000,
  consumerScope: false, // nobody is known yet when its turn comes
  reads: { always: [COPY_HEADER.toLowerCase()], namedBy: ['marker'] },
  summary: 'Sends a copy of requests to a second gateway and compares the answers.',
  config: checked(Config, findings),
  warnings,
  prepare,
  access: (exchange, prepared, ports) => {
    copyOf(exchange, prepared, ports);
    return undefined;
  },
  // Also for what no route was found for: it has no access phase.
  response: (exchange, prepared, ports) => {
    const copy = copyOf(exchange, prepared, ports);
    if (copy === undefined) return;
    if (!isEndless(exchange)) {
      copy.watchAnswer();
      return;
    }
    copy.drop('stream');
    exchange.memo.set(MEMO, undefined);
  },
  settle: ({ memo }) => (memo.get(MEMO) as ShadowCopy | undefined)?.send(),
});
